//! Points and weights that integrate polynomials over [0, 1] exactly.
//!
//! The rule of Gauss and Legendre: `n` points integrate every polynomial of degree up to `2n − 1` without an error but that of
//! rounding. The points are the roots of Legendre's polynomial, found by Newton's method from Tricomi's first guess.

/// `∫₀¹ f(u) du = Σ weight · f(point)` for polynomials of degree up to `2n − 1`: (point, weight), ascending.
#[must_use]
pub(super) fn gauss_legendre(n: usize) -> Vec<(f64, f64)> {
    let root = |number: usize| {
        let mut x = libm::cos(std::f64::consts::PI * (number as f64 + 0.75) / (n as f64 + 0.5));
        // Newton doubles the digits each time: from three to all of them in four steps, the rest is for safety.
        for _ in 0..8 {
            let (value, slope) = legendre(n, x);
            x -= value / slope;
        }
        let (_, slope) = legendre(n, x);
        // From [−1, 1] to [0, 1], which halves the weights.
        (0.5 * (1.0 - x), 1.0 / ((1.0 - x * x) * slope * slope))
    };
    (0..n).map(root).collect()
}

/// Legendre's polynomial of degree `n` at `x`, and its slope.
fn legendre(n: usize, x: f64) -> (f64, f64) {
    let (mut before, mut here) = (1.0, x);
    for degree in 2..=n {
        let degree = degree as f64;
        (before, here) = (here, ((2.0 * degree - 1.0) * x * here - (degree - 1.0) * before) / degree);
    }
    (here, n as f64 * (x * here - before) / (x * x - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_are_integrated_to_the_last_digits() {
        for n in 1..=40_usize {
            let rule = gauss_legendre(n);
            for power in 0..2 * i32::try_from(n).unwrap() {
                let sum: f64 = rule.iter().map(|(u, weight)| weight * u.powi(power)).sum();
                let integral = 1.0 / (f64::from(power) + 1.0);
                assert!((sum - integral).abs() < 1e-14, "{n} points, power {power}: {sum} is not {integral}");
            }
        }
    }
}
