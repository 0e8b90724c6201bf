//! How large trees are, and how strongly they are held back, for so many rows.

use super::trees::TreeSettings;

/// The settings of boosting that are tried on so many rows; early stopping tells the rounds.
pub(super) fn of_boosting(n_rows: usize) -> Vec<TreeSettings> {
    let general = TreeSettings {
        rounds: 1_500,
        learning_rate: 0.03,
        leaves: 6,
        depth: 4,
        min_child_weight: 4.0,
        l2: 10.0,
        row_share: 0.7,
        feature_share: 0.4,
        bins: 256,
        bags: 4,
        parallel_trees: 1,
        random_cuts: false,
    };
    let rich = TreeSettings { leaves: 16, depth: 7, l2: 1.0, row_share: 0.85, feature_share: 0.6, ..general };
    match n_rows {
        0..=12_000 => vec![
            TreeSettings { leaves: 3, depth: 2, learning_rate: 0.04, ..general },
            general,
            TreeSettings { leaves: 8, depth: 5, random_cuts: true, ..general },
            TreeSettings { min_child_weight: 2.0, feature_share: 0.8, ..rich },
        ],
        12_001..=60_000 => vec![
            TreeSettings { leaves: 8, depth: 5, bags: 3, ..rich },
            TreeSettings { bags: 3, ..rich },
            TreeSettings { l2: 10.0, feature_share: 0.4, random_cuts: true, bags: 3, ..rich },
        ],
        60_001..=200_000 => vec![TreeSettings {
            learning_rate: 0.06,
            rounds: 600,
            leaves: 31,
            depth: 8,
            min_child_weight: 8.0,
            row_share: 0.8,
            feature_share: 0.5,
            bags: 1,
            ..general
        }],
        _ => vec![TreeSettings {
            learning_rate: 0.15,
            rounds: 100,
            leaves: 31,
            depth: 8,
            min_child_weight: 10.0,
            // Leaving rows out costs more than it saves: where they fall must be looked up.
            row_share: 1.0,
            feature_share: 0.5,
            bins: 64,
            bags: 1,
            ..general
        }],
    }
}

/// The settings of a forest on so many features.
pub(super) fn of_forest(n_features: usize) -> Vec<TreeSettings> {
    let width = n_features.max(1) as f64;
    vec![TreeSettings {
        rounds: 1,
        learning_rate: 1.0,
        leaves: 256,
        depth: 12,
        min_child_weight: 1.0,
        l2: 1.0,
        row_share: 0.63,
        feature_share: (width.sqrt() / width).max(0.05),
        bins: 128,
        bags: 1,
        parallel_trees: 200,
        random_cuts: false,
    }]
}
