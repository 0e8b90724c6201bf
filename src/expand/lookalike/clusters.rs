//! Whether points fall into a few groups that stand apart: k-means for two to four groups, judged by the mean silhouette.
//!
//! The first centre is the mean's nearest point, each further one the point farthest from all centres: no random choice, so
//! that the same points give the same groups.

/// Groups at most.
const MOST: usize = 4;
/// Rounds of k-means at most.
const ROUNDS: usize = 30;
/// Points that the silhouette is taken over, at most.
const JUDGED: usize = 400;
/// A group holds at least this share of the points …
const LEAST_SHARE: f64 = 0.1;
/// … and so many.
const LEAST: usize = 20;

/// Groups of points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Clusters {
    /// The group of each point.
    pub of_point: Vec<usize>,
    pub n_clusters: usize,
}

/// The groups that stand apart the most, if their mean silhouette is at least `least`.
pub(super) fn apart(points: &[&[f64]], least: f64) -> Option<Clusters> {
    let mut best: Option<(f64, Clusters)> = None;
    for n_clusters in 2..=MOST {
        let of_point = k_means(points, n_clusters)?;
        let smallest = (0..n_clusters).map(|cluster| of_point.iter().filter(|&&of| of == cluster).count()).min()?;
        if smallest < LEAST || (smallest as f64) < LEAST_SHARE * points.len() as f64 {
            continue;
        }
        let width = silhouette(points, &of_point, n_clusters);
        if width >= least && best.as_ref().is_none_or(|(widest, _)| width > *widest) {
            best = Some((width, Clusters { of_point, n_clusters }));
        }
    }
    best.map(|(_, clusters)| clusters)
}

fn k_means(points: &[&[f64]], n_clusters: usize) -> Option<Vec<usize>> {
    let mut centres: Vec<Vec<f64>> = vec![mean(points.iter().copied())?];
    while centres.len() < n_clusters {
        let farthest = points.iter().enumerate().max_by(|a, b| {
            let (of_a, of_b) = (nearest(a.1, &centres).1, nearest(b.1, &centres).1);
            of_a.total_cmp(&of_b).then(b.0.cmp(&a.0))
        })?;
        centres.push(farthest.1.to_vec());
    }
    let mut of_point = Vec::new();
    for _ in 0..ROUNDS {
        let next: Vec<usize> = points.iter().map(|point| nearest(point, &centres).0).collect();
        if next == of_point {
            break;
        }
        of_point = next;
        for (cluster, centre) in centres.iter_mut().enumerate() {
            let own = points.iter().zip(&of_point).filter(|(_, of)| **of == cluster).map(|(point, _)| *point);
            if let Some(mean) = mean(own) {
                *centre = mean;
            }
        }
    }
    Some(of_point)
}

fn mean<'p>(points: impl Iterator<Item = &'p [f64]>) -> Option<Vec<f64>> {
    let (mut sum, mut n): (Vec<f64>, f64) = (Vec::new(), 0.0);
    for point in points {
        sum.resize(point.len(), 0.0);
        sum.iter_mut().zip(point).for_each(|(sum, value)| *sum += value);
        n += 1.0;
    }
    (n > 0.0).then(|| sum.into_iter().map(|sum| sum / n).collect())
}

fn nearest(point: &[f64], centres: &[Vec<f64>]) -> (usize, f64) {
    let mut best = (0, f64::INFINITY);
    for (at, centre) in centres.iter().enumerate() {
        let far = distance(point, centre);
        if far < best.1 {
            best = (at, far);
        }
    }
    best
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
}

/// The mean over points of `(b − a) / max(a, b)`: `a` is the mean distance to the own group, `b` to the nearest other.
fn silhouette(points: &[&[f64]], of_point: &[usize], n_clusters: usize) -> f64 {
    let step = points.len().div_ceil(JUDGED).max(1);
    let judged: Vec<usize> = (0..points.len()).step_by(step).collect();
    let width = |&at: &usize| {
        let (mut sums, mut counts) = (vec![0.0; n_clusters], vec![0.0; n_clusters]);
        for &other in judged.iter().filter(|&&other| other != at) {
            sums[of_point[other]] += distance(points[at], points[other]);
            counts[of_point[other]] += 1.0;
        }
        let means: Vec<f64> =
            sums.iter().zip(&counts).map(|(sum, n)| if *n > 0.0 { sum / n } else { f64::NAN }).collect();
        let own = means[of_point[at]];
        let other = (0..n_clusters)
            .filter(|&cluster| cluster != of_point[at])
            .map(|cluster| means[cluster])
            .fold(f64::INFINITY, f64::min);
        let larger = own.max(other);
        if own.is_nan() || !other.is_finite() || larger == 0.0 { 0.0 } else { (other - own) / larger }
    };
    judged.iter().map(width).sum::<f64>() / judged.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Points around each of some centres, spread by a lattice.
    fn around(centres: &[[f64; 2]]) -> Vec<Vec<f64>> {
        let of = |centre: &[f64; 2]| {
            let [x, y] = *centre;
            (0..40).map(move |at| vec![x + f64::from(at % 7) / 10.0, y + f64::from(at % 11) / 10.0])
        };
        centres.iter().flat_map(of).collect()
    }

    #[test]
    fn two_heaps_are_two_and_one_is_none() {
        let points = around(&[[0.0, 0.0], [8.0, 3.0]]);
        let points: Vec<&[f64]> = points.iter().map(Vec::as_slice).collect();
        let found = apart(&points, 0.5).expect("two heaps");
        assert_eq!(found.n_clusters, 2);
        assert!(found.of_point[..40].iter().all(|&of| of == found.of_point[0]));
        assert_ne!(found.of_point[0], found.of_point[40]);
        let one = around(&[[0.0, 0.0]]);
        assert_eq!(apart(&one.iter().map(Vec::as_slice).collect::<Vec<_>>(), 0.6), None);
    }
}
