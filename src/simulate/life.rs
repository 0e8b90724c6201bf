//! One person's two years, day by day: what they do, where they stand, and what the truth about them is.
//!
//! Sign-ups and purchases follow the hazards of [`super::hazard`]. Everything else (visits, carts, e-mails, complaints)
//! follows from the traits and from what has already happened, never from what will: it tells of the person, and
//! changes nothing. So the probabilities noted at each cutoff are exact.

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, Exp, StandardNormal};

use super::account::{Account, Stage, Stay};
use super::calendar::{CAMPAIGN, Calendar, DAY, HORIZON, N_CUTOFFS, N_DAYS, cutoff_at, day, moment, seconds};
use super::hazard::{Clock, Hazard, Traits};
use super::profile::Profile;

/// Everything that is known of a simulated person, seen and unseen.
pub(super) struct Life {
    pub(super) traits: Traits,
    pub(super) profile: Profile,
    pub(super) signed_up: Option<i64>,
    pub(super) unsubscribed: Option<i64>,
    pub(super) visits: Vec<Visit>,
    pub(super) carts: Vec<Cart>,
    pub(super) emails: Vec<Email>,
    pub(super) purchases: Vec<Purchase>,
    pub(super) complaints: Vec<Complaint>,
    pub(super) campaign: Option<Campaign>,
    pub(super) stays: Vec<Stay>,
    /// The truth at each cutoff, the last one being the end.
    pub(super) truth: [Truth; N_CUTOFFS + 1],
}

pub(super) struct Visit {
    pub(super) at: i64,
    pub(super) page: &'static str,
    pub(super) pages: u32,
}

pub(super) struct Cart {
    pub(super) at: i64,
    pub(super) items: u32,
    pub(super) value: f64,
}

pub(super) struct Email {
    pub(super) at: i64,
    pub(super) event: &'static str,
    pub(super) topic: &'static str,
}

pub(super) struct Purchase {
    pub(super) at: i64,
    pub(super) amount: f64,
    pub(super) category: Option<&'static str>,
    pub(super) discount: f64,
}

pub(super) struct Complaint {
    pub(super) at: i64,
    pub(super) reason: &'static str,
}

/// The randomised campaign, for one who was eligible.
#[derive(Debug, Clone, Copy)]
pub(super) struct Campaign {
    pub(super) treated: bool,
    /// P(purchase within 30 days | treated) − P(purchase within 30 days | not).
    pub(super) effect: f64,
}

/// What is true of a person at a cutoff.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Truth {
    pub(super) stage: Option<Stage>,
    /// P(lead becomes customer within the horizon); for leads.
    pub(super) first_purchase: Option<f64>,
    /// P(customer becomes repeat within the horizon); for customers.
    pub(super) second_purchase: Option<f64>,
}

const PAGES: [&str; 6] = ["home", "category", "product", "sale", "blog", "help"];
const TOPICS: [&str; 5] = ["news", "sale", "guide", "brand", "season"];
pub(super) const CATEGORIES: [&str; 7] = ["shoes", "outdoor", "kids", "home", "sports", "beauty", "toys"];
const REASONS: [&str; 5] =
    ["late", "broken", "wrong item", "not as described, colour", "service said \"tomorrow\", came never"];

/// The course of one life, with what it carries from day to day.
struct Course<'a> {
    calendar: &'a Calendar,
    rng: ChaCha8Rng,
    account: Account,
    to_sign_up: Clock,
    to_purchase: Clock,
    to_visit: Clock,
    life: Life,
}

/// Lives one person's life.
pub(super) fn live(number: usize, calendar: &Calendar, mut rng: ChaCha8Rng) -> Life {
    let traits = Traits::draw(&mut rng);
    let profile = Profile::draw(number, &traits, &mut rng);
    let life = Life {
        traits,
        profile,
        signed_up: None,
        unsubscribed: None,
        visits: Vec::new(),
        carts: Vec::new(),
        emails: Vec::new(),
        purchases: Vec::new(),
        complaints: Vec::new(),
        campaign: None,
        stays: Vec::new(),
        truth: [Truth::default(); N_CUTOFFS + 1],
    };
    let (to_sign_up, to_purchase, to_visit) = (Clock::set(&mut rng), Clock::set(&mut rng), Clock::set(&mut rng));
    let account = Account::default();
    let mut course = Course { calendar, rng, account, to_sign_up, to_purchase, to_visit, life };
    course.run();
    course.finish()
}

impl Course<'_> {
    fn run(&mut self) {
        let arrival = self.arrival();
        for today in arrival..N_DAYS {
            if let Some(k) = cutoff_at(today) {
                self.life.truth[k] = self.truth(today);
            }
            if today == arrival {
                self.arrive(today);
            } else {
                self.newsletter(today);
                self.campaign(today);
                self.visits(today);
                self.sign_up_or_buy(today);
            }
        }
        self.life.truth[N_CUTOFFS] = self.truth(N_DAYS);
    }

    fn finish(mut self) -> Life {
        let end = seconds(N_DAYS);
        self.account.fall_silent_before(end);
        let life = &mut self.life;
        life.visits.retain(|visit| visit.at < end);
        life.carts.retain(|cart| cart.at < end);
        life.emails.retain(|email| email.at < end);
        life.complaints.retain(|complaint| complaint.at < end);
        life.stays = self.account.stays;
        self.life
    }

    /// Many were there at the start or came soon after it; the rest came evenly.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "0 ≤ u < 1"
    )]
    fn arrival(&mut self) -> usize {
        let u: f64 = self.rng.random();
        (u * u.sqrt() * N_DAYS as f64) as usize
    }

    /// The first day: a visit, a sign-up at the till, or both; a few buy at once.
    fn arrive(&mut self, today: usize) {
        let at = moment(today, &mut self.rng);
        if self.rng.random_bool(0.2) {
            return self.sign_up(at);
        }
        self.account.first_visit(at);
        self.visit(at);
        let soon = at + self.rng.random_range(60..1200);
        if day(soon) == today && self.rng.random_bool(0.35) {
            self.sign_up(soon);
        }
    }

    fn sign_up(&mut self, at: i64) {
        self.life.signed_up = Some(at);
        self.account.sign_up(at);
        let soon = at + self.rng.random_range(120..2400);
        let at_once = logistic(-1.5 + 0.5 * self.life.traits.intent);
        if day(soon) == day(at) && self.rng.random_bool(at_once) {
            self.purchase(soon);
        }
    }

    fn sign_up_or_buy(&mut self, today: usize) {
        let (traits, n_purchases, since) = (self.life.traits, self.account.n_purchases, self.account.renewed_on());
        if self.life.signed_up.is_none() {
            if self.to_sign_up.strikes(Hazard::sign_up(&traits, since).on(today, self.calendar)) {
                let at = moment(today, &mut self.rng);
                let before = self.rng_range(60, 900);
                self.visit(at - before);
                self.sign_up(at);
            }
            return;
        }
        let hazard = Hazard::purchase(&traits, n_purchases, since).on(today, self.calendar) * self.uplift(today);
        if self.to_purchase.strikes(hazard) {
            self.to_purchase = Clock::set(&mut self.rng);
            let at = moment(today, &mut self.rng);
            let before = self.rng_range(900, 1800);
            self.visit(at - before);
            self.purchase(at);
        }
    }

    /// What the campaign makes of today's hazard.
    fn uplift(&self, today: usize) -> f64 {
        let treated = self.life.campaign.is_some_and(|campaign| campaign.treated);
        if treated && today < CAMPAIGN + HORIZON { self.life.traits.campaign_factor() } else { 1.0 }
    }

    fn purchase(&mut self, at: i64) {
        self.account.purchase(at);
        let Traits { spend, price_sensitivity, .. } = self.life.traits;
        let noise: f64 = StandardNormal.sample(&mut self.rng);
        let price = libm::exp(3.5 + 0.4 * spend + 0.6 * noise);
        let discount = match self.rng.random::<f64>() / logistic(-1.0 + 0.8 * price_sensitivity) {
            share if share < 0.3 => 0.2,
            share if share < 1.0 => 0.1,
            _ => 0.0,
        };
        let category = self.life.profile.category(&mut self.rng);
        let amount = cents(price * (1.0 - discount));
        let before = self.rng_range(30, 115);
        let items = 1 + self.rng.random_range(0..3);
        self.life.carts.push(Cart { at: at - before, items, value: cents(price) });
        let category = (!self.rng.random_bool(0.01)).then_some(category);
        self.life.purchases.push(Purchase { at, amount, category, discount });
        if self.rng.random_bool(0.04) {
            let at = at + self.rng_range(DAY, 14 * DAY);
            let reason = REASONS[self.rng.random_range(0..REASONS.len())];
            self.life.complaints.push(Complaint { at, reason });
        }
    }

    /// Visits come at a rate that fades as interest does; some of them fill a cart and leave it.
    fn visits(&mut self, today: usize) {
        let Traits { activity, intent, loyalty, .. } = self.life.traits;
        let warmth = if self.account.n_purchases == 0 { intent } else { loyalty };
        let rate = Hazard::new(-2.6 + 0.9 * activity + 0.3 * warmth, 110.0, self.account.renewed_on());
        let rate = rate.on(today, self.calendar) + 0.002;
        for _ in 0..self.to_visit.count(rate, &mut self.rng) {
            let at = moment(today, &mut self.rng);
            self.visit(at);
            if self.life.signed_up.is_some() && self.rng.random_bool(logistic(-2.2 + 0.8 * warmth)) {
                let (at, items) = (at + self.rng_range(60, 900), 1 + self.rng.random_range(0..4));
                let noise: f64 = StandardNormal.sample(&mut self.rng);
                let value = cents(libm::exp(3.6 + 0.4 * self.life.traits.spend + 0.6 * noise));
                self.life.carts.push(Cart { at, items, value });
            }
        }
    }

    fn visit(&mut self, at: i64) {
        let sale = self.rng.random_bool(logistic(-2.0 + 0.8 * self.life.traits.price_sensitivity));
        let page = if sale { "sale" } else { PAGES[self.rng.random_range(0..PAGES.len())] };
        let depth: f64 = Exp::new(0.25).expect("the rate is positive").sample(&mut self.rng);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 200")]
        let pages = 1 + depth.min(200.0) as u32;
        self.life.visits.push(Visit { at, page, pages });
    }

    fn takes_email(&self, today: usize) -> bool {
        self.life.signed_up.is_some_and(|at| day(at) < today)
            && self.life.unsubscribed.is_none_or(|at| at >= seconds(today))
            && self.life.profile.email_opt_in == Some(true)
            && self.life.profile.has_valid_email
    }

    /// Every two weeks after signing up, from 9 o'clock: on a day of one's own, so that no count tells the season.
    fn newsletter(&mut self, today: usize) {
        let since_sign_up = self.life.signed_up.map_or(0, |at| today - day(at));
        if since_sign_up % 14 == 13 && self.takes_email(today) {
            let at = seconds(today) + 9 * 3600 + self.rng_range(0, 900);
            self.email(at, TOPICS[since_sign_up / 14 % TOPICS.len()]);
        }
    }

    fn email(&mut self, at: i64, topic: &'static str) {
        let Traits { activity, intent, .. } = self.life.traits;
        let age = day(at) - self.account.renewed_on();
        let fade = f64::from(u32::try_from(age).expect("days are counted in hundreds")) / 150.0;
        self.life.emails.push(Email { at, event: "email_sent", topic });
        if self.rng.random_bool(0.004) {
            self.life.unsubscribed = self.life.unsubscribed.or(Some(at + self.rng_range(60, DAY)));
        }
        if !self.rng.random_bool(logistic(-0.6 + 0.4 * activity + 0.3 * intent - fade)) {
            return;
        }
        let delay: f64 = Exp::new(1.0 / 18_000.0).expect("the rate is positive").sample(&mut self.rng);
        #[expect(clippy::cast_possible_truncation, reason = "at most three days of seconds")]
        let opened = at + 5 + delay.min(259_200.0) as i64;
        self.life.emails.push(Email { at: opened, event: "email_opened", topic });
        if self.rng.random_bool(logistic(-1.8 + 0.4 * intent)) {
            let clicked = opened + self.rng_range(5, 120);
            self.life.emails.push(Email { at: clicked, event: "email_clicked", topic });
            self.visit(clicked + 2);
        }
    }

    /// Half of those who may be written to, drawn by a fair coin, get the campaign's e-mail at its day's first second.
    fn campaign(&mut self, today: usize) {
        if today != CAMPAIGN || !self.takes_email(today) {
            return;
        }
        let treated = self.rng.random_bool(0.5);
        let traits = self.life.traits;
        let hazard = Hazard::purchase(&traits, self.account.n_purchases, self.account.renewed_on());
        let without = hazard.over(today..today + HORIZON, self.calendar);
        let with = without * traits.campaign_factor();
        self.life.campaign = Some(Campaign { treated, effect: libm::exp(-without) - libm::exp(-with) });
        if treated {
            self.email(seconds(today), "campaign");
        }
    }

    /// What is true at the first second of a day, before anything of it happens.
    fn truth(&mut self, today: usize) -> Truth {
        self.account.fall_silent_before(seconds(today));
        let Some(stage) = self.account.stage() else { return Truth::default() };
        let hazard = Hazard::purchase(&self.life.traits, self.account.n_purchases, self.account.renewed_on());
        let first = || hazard.within_horizon(today, self.calendar);
        let second = || {
            let lapse = self.account.lapses_at().unwrap_or(i64::MAX);
            hazard.within_horizon_before(today, lapse, self.calendar)
        };
        Truth {
            stage: Some(stage),
            first_purchase: (stage == Stage::Lead).then(first),
            second_purchase: (stage == Stage::Customer).then(second),
        }
    }

    fn rng_range(&mut self, from: i64, to: i64) -> i64 {
        self.rng.random_range(from..to)
    }
}

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-x))
}

fn cents(amount: f64) -> f64 {
    (amount * 100.0).round() / 100.0
}
