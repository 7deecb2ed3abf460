//! Features as vectors.

/// The product of two vectors, summed in 64 bits: the cosine of two of length 1.
pub fn dot(a: &[f32], b: &[f32]) -> f64 {
    // Several sums side by side, since the order of one alone is fixed and its additions wait for each other.
    const SUMS: usize = 16;
    let product = |(a, b): (&f32, &f32)| f64::from(*a) * f64::from(*b);
    let ((a, rest), (b, other)) = (a.as_chunks::<SUMS>(), b.as_chunks::<SUMS>());
    let mut sums = [0.0; SUMS];
    for (a, b) in a.iter().zip(b) {
        sums.iter_mut().zip(a.iter().zip(b)).for_each(|(sum, pair)| *sum += product(pair));
    }
    sums.iter().sum::<f64>() + rest.iter().zip(other).map(product).sum::<f64>()
}

/// The vector divided by its length; one of length 0 stays as it is.
pub fn unit(mut values: Vec<f32>) -> Vec<f32> {
    let length = values.iter().map(|value| value * value).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    values.iter_mut().for_each(|value| *value /= length);
    values
}
