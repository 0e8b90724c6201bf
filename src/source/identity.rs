//! Ids of different id spaces that are one person.
//!
//! A link table's row says that two ids are one person. Linked ids make groups (union-find); a group's person is the
//! smallest of its ids that stand in a link's first column, which is the id space that the spec names first.

use super::Identity;
use super::batch::{Batch, Header, encode};
use super::events::NO_LEVEL;
use super::intern::Interner;
use crate::error::{Error, Result};
use crate::spec::Link;

/// The pairs of one `[[identity.links]]` so far.
pub(crate) struct LinkGather<'s> {
    pub(crate) spec: &'s Link,
    number: usize,
    pairs: Vec<[u32; 2]>,
}

impl<'s> LinkGather<'s> {
    /// Nothing gathered yet; `number` is the link's place in the spec.
    pub(crate) fn new(spec: &'s Link, number: usize) -> Self {
        Self { spec, number, pairs: Vec::new() }
    }

    /// Checks that the columns are there.
    pub(crate) fn begin(&self, header: &Header) -> std::result::Result<(), (String, Error)> {
        let missing = |error| (format!("identity.links[{}].columns", self.number), error);
        self.spec.columns.iter().try_for_each(|column| header.require(column)).map_err(missing)
    }

    /// Takes the pairs of a batch; rows that lack an id link nobody.
    pub(crate) fn take(&mut self, batch: &Batch, ids: &mut Interner) -> Result<()> {
        let mut codes = [Vec::new(), Vec::new()];
        for (column, codes) in self.spec.columns.iter().zip(&mut codes) {
            encode(batch.column(column)?, ids, NO_LEVEL, codes)?;
        }
        let [first, second] = codes;
        let pairs = first.into_iter().zip(second).map(|(first, second)| [first, second]);
        self.pairs.extend(pairs.filter(|pair| !pair.contains(&NO_LEVEL)));
        Ok(())
    }
}

/// Resolves all links: for each id's code the code of its person, and every id that became another.
pub(crate) fn resolve(links: &[LinkGather<'_>], ids: &Interner) -> (Vec<u32>, Vec<Identity>) {
    let mut is_first = vec![false; ids.len()];
    for [first, _] in links.iter().flat_map(|link| &link.pairs) {
        is_first[*first as usize] = true;
    }
    let better = |a: u32, b: u32| {
        let rank = |code: u32| (!is_first[code as usize], ids.text(code));
        if rank(a) <= rank(b) { (a, b) } else { (b, a) }
    };
    let mut parent: Vec<u32> = (0..).take(ids.len()).collect();
    for [first, second] in links.iter().flat_map(|link| &link.pairs) {
        let (root, other) = better(find(&mut parent, *first), find(&mut parent, *second));
        parent[other as usize] = root;
    }
    let person_of: Vec<u32> = (0..).take(ids.len()).map(|code| find(&mut parent, code)).collect();
    let identities = identities(links, ids, &person_of);
    (person_of, identities)
}

/// The group's person, with the path to it made short.
fn find(parent: &mut [u32], code: u32) -> u32 {
    let mut root = code;
    while parent[root as usize] != root {
        root = parent[root as usize];
    }
    let mut at = code;
    while parent[at as usize] != root {
        at = std::mem::replace(&mut parent[at as usize], root);
    }
    root
}

fn identities(links: &[LinkGather<'_>], ids: &Interner, person_of: &[u32]) -> Vec<Identity> {
    let mut identities = Vec::new();
    for link in links {
        let [first, second] = &link.spec.columns;
        let why = format!("{}.{first} = {}.{second}", link.spec.table, link.spec.table);
        for &code in link.pairs.iter().flatten().filter(|&&code| person_of[code as usize] != code) {
            identities.push(Identity {
                person: ids.text(person_of[code as usize]).to_owned(),
                table: link.spec.table.clone(),
                id: ids.text(code).to_owned(),
                why: why.clone(),
            });
        }
    }
    let key = |identity: &Identity| {
        (identity.person.clone(), identity.table.clone(), identity.id.clone(), identity.why.clone())
    };
    identities.sort_by_cached_key(key);
    identities.dedup();
    identities
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_groups_person_is_the_smallest_id_of_the_first_column() {
        let spec = Link { table: "deals".into(), columns: ["mql_id".into(), "seller_id".into()] };
        let mut ids = Interner::default();
        let pair = |ids: &mut Interner, a: &str, b: &str| [ids.intern(a), ids.intern(b)];
        let pairs = vec![pair(&mut ids, "m9", "a1"), pair(&mut ids, "m2", "a1"), pair(&mut ids, "m5", "a7")];
        ids.intern("alone");
        let (person_of, identities) = resolve(&[LinkGather { spec: &spec, number: 0, pairs }], &ids);
        let person = |id: &str, ids: &mut Interner| {
            let code = ids.intern(id);
            ids.text(person_of[code as usize]).to_owned()
        };
        for (id, expected) in [("m9", "m2"), ("a1", "m2"), ("m2", "m2"), ("a7", "m5"), ("alone", "alone")] {
            assert_eq!(person(id, &mut ids), expected, "{id}");
        }
        let listed: Vec<_> =
            identities.iter().map(|identity| (identity.id.as_str(), identity.person.as_str())).collect();
        assert_eq!(listed, [("a1", "m2"), ("m9", "m2"), ("a7", "m5")]);
        assert_eq!(identities[0].why, "deals.mql_id = deals.seller_id");
    }
}
