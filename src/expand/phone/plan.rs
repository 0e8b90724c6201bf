//! What digits mean by a country's numbering plan: the same answers as `phonenumber`, without its lock.
//!
//! That crate looks each regular expression up in one cache of a hundred, behind one lock; the plans of the countries that share `+1`
//! alone are more than that, and two threads wait for each other. Here its data (libphonenumber's) is compiled once for each plan
//! that is asked for. It follows the crate's own steps for a text of digits alone, and a property test holds the two together;
//! whatever has letters or an extension goes to the crate.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::{LazyLock, OnceLock};

use phonenumber::Metadata;
use phonenumber::metadata::{DATABASE, Descriptor};
use regex::{Regex, RegexBuilder};

/// A number: its country code, and the digits after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Number {
    pub code: u16,
    pub national: String,
}

/// Digits that a number may have after its country code.
const NATIONAL: std::ops::RangeInclusive<usize> = 2..=17;
/// Where `phonenumber` keeps a number's value: in 56 bits.
const MOST: u64 = 1 << 56;

/// The country code of a country (alpha-2, lower case).
pub(super) fn code(country: &str) -> Option<u16> {
    PLANS.of_country.get(country).map(|&at| PLANS.data[at].country_code())
}

/// The number of `digits` that begin with a country code, dialled in `country`, if that is told. `None`: there is no such code.
pub(super) fn international(digits: &str, country: Option<&str>) -> Option<Number> {
    let own = country.and_then(Plan::of);
    // What follows the way out of a country is a country code.
    let digits = own.and_then(|plan| plan.after_way_out(digits)).unwrap_or(digits);
    let (n, code) = code_before(digits)?;
    let national = &digits[n..];
    let plan = if country.is_some() { own } else { of_number(code, national.trim_start_matches('0')) };
    number(code, national, plan)
}

/// How many of `digits` are the country code that they begin with, and that code.
fn code_before(digits: &str) -> Option<(usize, u16)> {
    if digits.len() <= *NATIONAL.start() || digits.starts_with('0') {
        return None;
    }
    let told = (1..=3).filter_map(|n| Some((n, digits.get(..n)?.parse().ok()?)));
    told.into_iter().find(|(_, code)| !PLANS.of_code(*code).is_empty())
}

/// How an international number is dialled at home.
pub(in crate::expand) struct AtHome {
    /// How many of its digits, the first ones, are left out: the country code.
    pub n_code: usize,
    /// What is dialled before the others.
    pub prefix: &'static str,
}

/// How the number of `digits` that begin with a country code is dialled in that country.
pub(in crate::expand) fn at_home(digits: &str) -> Option<AtHome> {
    let (n_code, code) = code_before(digits)?;
    let plan = PLANS.data[*PLANS.of_code(code).first()?];
    Some(AtHome { n_code, prefix: plan.national_prefix().unwrap_or_default() })
}

/// The number of `digits` that are dialled in `country`, its own code before them or not.
pub(super) fn within(digits: &str, country: &str) -> Option<Number> {
    let plan = Plan::of(country)?;
    if plan.after_way_out(digits).is_some() {
        return international(digits, Some(country));
    }
    let with_code = digits.strip_prefix(plan.code.to_string().as_str());
    let with_code = with_code.filter(|_| !plan.general.fits(digits) || !plan.has_length(digits.len()));
    number(plan.code, with_code.unwrap_or(digits), Some(plan))
}

fn number(code: u16, national: &str, plan: Option<&Plan>) -> Option<Number> {
    let national = plan.map_or(national.into(), |plan| plan.without_prefix(national));
    let is_small = national.trim_start_matches('0').parse::<u64>().is_ok_and(|value| value < MOST);
    (NATIONAL.contains(&national.len()) && is_small).then(|| Number { code, national: national.into_owned() })
}

/// E.164.
impl fmt::Display for Number {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "+{}{}", self.code, self.national)
    }
}

impl Number {
    /// Whether the plan gives such numbers out.
    pub(super) fn is_valid(&self) -> bool {
        plan_of(self.code, &self.national).is_some_and(|(plan, gives)| gives || plan.gives(&self.national))
    }

    /// Whether such numbers are given to mobile phones.
    pub(super) fn is_mobile(&self) -> bool {
        of_number(self.code, &self.national)
            .is_some_and(|plan| plan.mobile.as_ref().is_some_and(|mobile| mobile.is_match(&self.national)))
    }
}

/// The plan that gives a number out, of those that share its code.
fn of_number(code: u16, national: &str) -> Option<&'static Plan> {
    plan_of(code, national).map(|(plan, _)| plan)
}

/// As [`of_number`], and whether it is known already that the plan gives such numbers out.
fn plan_of(code: u16, national: &str) -> Option<(&'static Plan, bool)> {
    match PLANS.of_code(code) {
        [only] => Plan::at(*only).map(|plan| (plan, false)),
        several => several.iter().filter_map(|&at| Plan::at(at)).find_map(|plan| match &plan.leading {
            Some(leading) => leading.is_match(national).then_some((plan, false)),
            None => plan.gives(national).then_some((plan, true)),
        }),
    }
}

/// The plans, each compiled when it is first asked for.
struct Plans {
    data: Vec<&'static Metadata>,
    compiled: Vec<OnceLock<Option<Plan>>>,
    /// By alpha-2 code, lower case.
    of_country: HashMap<String, usize>,
    /// By country code, which has three digits at most.
    of_code: Vec<Vec<usize>>,
}

impl Plans {
    fn of_code(&self, code: u16) -> &[usize] {
        self.of_code.get(usize::from(code)).map_or(&[], Vec::as_slice)
    }
}

static PLANS: LazyLock<Plans> = LazyLock::new(|| {
    let mut plans =
        Plans { data: Vec::new(), compiled: Vec::new(), of_country: HashMap::new(), of_code: vec![Vec::new(); 1000] };
    for code in 1..1000 {
        for data in DATABASE.by_code(&code).into_iter().flatten() {
            plans.of_code[usize::from(code)].push(plans.data.len());
            plans.of_country.entry(data.id().to_lowercase()).or_insert(plans.data.len());
            plans.data.push(data);
            plans.compiled.push(OnceLock::new());
        }
    }
    plans
});

/// A country's plan.
struct Plan {
    code: u16,
    way_out: Option<Regex>,
    prefix: Option<&'static str>,
    prefix_for_parsing: Option<Regex>,
    transform: Option<&'static str>,
    leading: Option<Regex>,
    general: Pattern,
    mobile: Option<Regex>,
    kinds: Kinds,
    /// How many digits numbers have, and those that are dialled within a town.
    lengths: &'static [u16],
    local: &'static [u16],
}

/// What numbers of a kind look like.
struct Pattern {
    lengths: &'static [u16],
    digits: Regex,
}

/// What numbers of any kind look like: one pattern for each length, compiled when the first number is as long.
struct Kinds {
    all: Vec<&'static Descriptor>,
    of_length: [OnceLock<Option<Regex>>; *NATIONAL.end() + 1],
}

impl Plan {
    fn of(country: &str) -> Option<&'static Self> {
        Self::at(*PLANS.of_country.get(country)?)
    }

    fn at(at: usize) -> Option<&'static Self> {
        PLANS.compiled[at].get_or_init(|| Self::compile(PLANS.data[at])).as_ref()
    }

    #[expect(clippy::redundant_closure_for_method_calls, reason = "the method is of a crate that is none of ours")]
    fn compile(data: &'static Metadata) -> Option<Self> {
        let optional =
            |pattern: Option<&'static str>| pattern.map(beginning).map_or(Some(None), |compiled| compiled.map(Some));
        let all = data.descriptors();
        let kinds = [
            all.premium_rate(),
            all.toll_free(),
            all.shared_cost(),
            all.voip(),
            all.personal_number(),
            all.pager(),
            all.uan(),
            all.voicemail(),
            all.fixed_line(),
            all.mobile(),
        ];
        Some(Self {
            code: data.country_code(),
            way_out: optional(data.international_prefix().map(|regex| regex.as_str()))?,
            prefix: data.national_prefix(),
            prefix_for_parsing: optional(data.national_prefix_for_parsing().map(|regex| regex.as_str()))?,
            transform: data.national_prefix_transform_rule(),
            leading: optional(data.leading_digits().map(|regex| regex.as_str()))?,
            general: Pattern::compile(all.general())?,
            mobile: all.mobile().and_then(|kind| beginning(&format!("(?:{})$", kind.national_number().as_str()))),
            kinds: Kinds {
                all: kinds.into_iter().flatten().collect(),
                of_length: std::array::from_fn(|_| OnceLock::new()),
            },
            lengths: all.general().possible_length(),
            local: all.general().possible_local_length(),
        })
    }

    /// Whether the plan has numbers of some kind like this one.
    fn gives(&self, national: &str) -> bool {
        self.general.fits(national) && self.kinds.fit(national)
    }

    /// The digits without what is dialled before them at home, unless too few are left.
    fn without_prefix<'n>(&self, national: &'n str) -> Cow<'n, str> {
        let mut bare = self.without_parsed_prefix(national);
        if let Some(rest) = self.prefix.and_then(|prefix| bare.strip_prefix(prefix)) {
            bare = rest.to_owned().into();
        }
        let shortest = self.lengths.first().map_or(0, |&length| usize::from(length));
        let is_short = bare.len() < shortest && !is_among(bare.len(), self.local);
        if is_short { national.into() } else { bare }
    }

    fn has_length(&self, n: usize) -> bool {
        !self.lengths.is_empty() && (is_among(n, self.local) || is_among(n, self.lengths))
    }

    /// What is dialled after the digits that lead out of the country, if these stand there and a code may follow.
    fn after_way_out<'d>(&self, digits: &'d str) -> Option<&'d str> {
        let end = self.way_out.as_ref()?.find(digits)?.end();
        Some(&digits[end..]).filter(|rest| !rest.starts_with('0'))
    }

    fn without_parsed_prefix<'n>(&self, national: &'n str) -> Cow<'n, str> {
        let Some(prefix) = &self.prefix_for_parsing else {
            let rest = self.prefix.and_then(|prefix| national.strip_prefix(prefix));
            return rest.unwrap_or(national).into();
        };
        let Some(found) = prefix.find(national) else { return national.into() };
        let without = &national[found.end()..];
        let Some(transform) = self.transform else { return without.into() };
        let captures = prefix.captures(national);
        if captures.is_none_or(|captures| captures.get(captures.len() - 1).is_none()) {
            return without.into();
        }
        let transformed = prefix.replace(national, transform);
        let is_lost = self.general.fits(national) && !self.general.fits(&transformed);
        if is_lost { national.into() } else { transformed }
    }
}

impl Pattern {
    fn compile(of: &'static Descriptor) -> Option<Self> {
        Some(Self { lengths: of.possible_length(), digits: beginning(of.national_number().as_str())? })
    }

    fn fits(&self, national: &str) -> bool {
        (self.lengths.is_empty() || is_among(national.len(), self.lengths)) && self.digits.is_match(national)
    }
}

impl Kinds {
    fn fit(&self, national: &str) -> bool {
        let Some(pattern) = self.of_length.get(national.len()) else { return false };
        let pattern = pattern.get_or_init(|| {
            let has_length = |kind: &&&Descriptor| {
                let lengths = kind.possible_length();
                lengths.is_empty() || is_among(national.len(), lengths)
            };
            let kinds = self.all.iter().filter(has_length).map(|kind| kind.national_number().as_str());
            let any: Vec<String> = kinds.map(|pattern| format!("(?:{pattern})")).collect();
            if any.is_empty() { None } else { beginning(&any.join("|")) }
        });
        pattern.as_ref().is_some_and(|pattern| pattern.is_match(national))
    }
}

fn is_among(n: usize, lengths: &[u16]) -> bool {
    lengths.iter().any(|&length| usize::from(length) == n)
}

/// A pattern that a text must begin with; blanks in it are for the reader.
fn beginning(pattern: &str) -> Option<Regex> {
    RegexBuilder::new(&format!("^(?:{pattern})")).ignore_whitespace(true).build().ok()
}

#[cfg(test)]
mod tests {
    use phonenumber::Mode;
    use phonenumber::country::Id;
    use proptest::prelude::*;

    use super::super::Dialled;
    use super::*;

    /// What the crate makes of a text, in the country of that plan or in none.
    fn crate_says(text: &str, country: Option<&str>) -> (Option<String>, bool) {
        let id: Option<Id> = country.map(|country| country.parse().unwrap());
        let number = phonenumber::parse(id, text).ok();
        let is_valid = number.as_ref().is_some_and(phonenumber::is_valid);
        (number.map(|number| number.format().mode(Mode::E164).to_string()), is_valid)
    }

    fn told(number: Option<Number>) -> (Option<String>, bool) {
        let is_valid = number.as_ref().is_some_and(Number::is_valid);
        (number.map(|number| number.to_string()), is_valid)
    }

    fn agree(digits: &str, country: &str) {
        let with_plus = format!("+{digits}");
        assert_eq!(told(international(digits, None)), crate_says(&with_plus, None), "{digits}");
        let at = country.to_lowercase();
        assert_eq!(
            told(international(digits, Some(&at))),
            crate_says(&with_plus, Some(country)),
            "{digits} in {country}"
        );
        assert_eq!(told(within(digits, &at)), crate_says(digits, Some(country)), "{digits} at home in {country}");
        let dialled = Dialled::of(digits).filter(Dialled::is_plain);
        let meant = dialled.as_ref().and_then(|dialled| dialled.meant_by_plan(Some(&at)));
        let of_crate = dialled.as_ref().and_then(|dialled| dialled.meant(Some(&at)));
        let of_crate = of_crate.map(|number| number.format().mode(Mode::E164).to_string());
        assert_eq!(meant.map(|number| number.to_string()), of_crate, "what {digits} mean in {country}");
    }

    fn countries() -> Vec<&'static str> {
        let mut known: Vec<&str> = DATABASE.iter().map(Metadata::id).filter(|id| id.parse::<Id>().is_ok()).collect();
        known.sort_unstable();
        known
    }

    #[test]
    fn each_countrys_example_numbers_are_read_as_the_crate_reads_them() {
        let all = countries();
        assert!(all.len() > 200, "{}", all.len());
        for country in all {
            let plan = DATABASE.by_id(country).unwrap();
            let kinds = [plan.descriptors().fixed_line(), plan.descriptors().mobile(), plan.descriptors().toll_free()];
            for example in kinds.into_iter().flatten().filter_map(Descriptor::example) {
                let prefix = plan.national_prefix().unwrap_or_default();
                for digits in
                    [example.to_owned(), format!("{prefix}{example}"), format!("{}{example}", plan.country_code())]
                {
                    agree(&digits, country);
                }
            }
        }
    }

    #[test]
    fn a_mobile_number_with_its_country_code_needs_no_plus_sign() {
        let mut misread = Vec::new();
        for country in countries() {
            let plan = DATABASE.by_id(country).unwrap();
            let Some(example) = plan.descriptors().mobile().and_then(Descriptor::example) else { continue };
            let digits = format!("{}{example}", plan.country_code());
            let read = super::super::e164(&digits, Some(&country.to_lowercase()));
            if read != Ok(format!("+{digits}")) {
                misread.push(country);
            }
        }
        assert_eq!(misread, [""; 0]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]
        #[test]
        fn any_digits_are_read_as_the_crate_reads_them(digits in "[0-9]{5,16}", own in "(1|7|44|39|49|52|54|55|61|81|86|91|358|380|800)[0-9]{6,11}", at in 0_usize..1000) {
            let all = countries();
            for digits in [&digits, &own] {
                agree(digits, all[at % all.len()]);
            }
        }
    }
}
