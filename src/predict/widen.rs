//! Trees that grew on a part of the features, as trees on all of them.
//!
//! In: a model whose feature `i` is the feature at `places[i]` of all. Out: the same trees, asking for the features at their own
//! places. What is written as XGBoost JSON and read again is the same to the bit; only the numbers of the features are changed
//! in it (`split_indices`, `num_feature`).

use hessboost::model::{BoostedModel, ModelFormat};
use serde_json::Value;

use super::trees::refused;
use crate::error::{Error, Result};

/// `trees`, on `n_features` features.
pub(super) fn widened(trees: BoostedModel, places: &[usize], n_features: usize) -> Result<BoostedModel> {
    if places.len() == n_features {
        return Ok(trees);
    }
    let damaged = || Error::internal("trees are written in another form than expected");
    let bytes = trees.encode(ModelFormat::XgboostJson).map_err(refused)?;
    let mut written: Value = serde_json::from_slice(&bytes).map_err(|_| damaged())?;
    let learner = written.get_mut("learner").ok_or_else(damaged)?;
    let count = Value::String(n_features.to_string());
    *learner.pointer_mut("/learner_model_param/num_feature").ok_or_else(damaged)? = count.clone();
    let grown = learner.pointer_mut("/gradient_booster/model/trees").and_then(Value::as_array_mut);
    for tree in grown.ok_or_else(damaged)? {
        *tree.pointer_mut("/tree_param/num_feature").ok_or_else(damaged)? = count.clone();
        let is_split: Vec<bool> =
            tree["left_children"].as_array().ok_or_else(damaged)?.iter().map(|child| child != -1).collect();
        let asked = tree.get_mut("split_indices").and_then(Value::as_array_mut).ok_or_else(damaged)?;
        for (asked, _) in asked.iter_mut().zip(is_split).filter(|(_, is_split)| *is_split) {
            let place = asked.as_u64().and_then(|at| places.get(usize::try_from(at).ok()?));
            *asked = Value::from(*place.ok_or_else(damaged)?);
        }
    }
    let bytes = serde_json::to_vec(&written).map_err(|_| damaged())?;
    BoostedModel::decode(bytes, ModelFormat::XgboostJson).map_err(refused)
}

#[cfg(test)]
mod tests {
    use crate::discover::Table;
    use crate::predict::boosting::Boosting;
    use crate::predict::estimator::{Data, Estimator as _, Settings};
    use crate::predict::sizes;
    use crate::predict::tests::people;

    #[test]
    fn features_that_never_differ_change_nothing_and_are_given_no_part() {
        let people = people(900, 11);
        let says_nothing = ["attr.constant", "attr.missing", "attr.nobody"];
        let columns = people.table.columns.iter().filter(|column| !says_nothing.contains(&column.name.as_str()));
        // The constant stands first, so that every other feature has another place.
        let constant = people.table.column("attr.constant").unwrap().clone();
        let without = Table { columns: columns.clone().cloned().collect(), n_rows: 900 };
        let with = Table { columns: [constant].into_iter().chain(columns.cloned()).collect(), n_rows: 900 };
        let settings =
            Settings::Trees(crate::predict::trees::TreeSettings { rounds: 30, ..sizes::of_boosting(900)[0] });
        let fitted = [&without, &with].map(|table| {
            let data = Data { table, ..people.data() };
            let boosting = Boosting::default();
            boosting.prepare(data, &people.rows()).unwrap().fit(&people.rows(), &settings).unwrap()
        });
        let rows = people.rows();
        assert_eq!(fitted[0].margins(&without, &rows).unwrap(), fitted[1].margins(&with, &rows).unwrap());
        let of = fitted[1].contributions(&with, &rows).unwrap();
        assert_eq!(of.values.len(), rows.len() * with.columns.len());
        assert!(of.values.chunks(with.columns.len()).all(|row| row[0] == 0.0));
        assert!(of.values.chunks(with.columns.len()).any(|row| row[1] != 0.0));
        fitted[1].check().unwrap();
    }
}
