//! Arithmetic, element by element.

use super::{Graph, Value};

macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident($($input:ident),*) = $operation:literal;)*) => {
        impl Graph {$(
            $(#[$doc])*
            pub fn $name(&mut self, $($input: &Value),*) -> Value {
                self.node($operation, &[$($input),*], Vec::new())
            }
        )*}
    };
}

operations! {
    /// `a + b`
    add(a, b) = "Add";
    /// `a − b`
    subtract(a, b) = "Sub";
    /// `a · b`
    multiply(a, b) = "Mul";
    /// `a / b`
    divide(a, b) = "Div";
    /// `aᵇ`
    power(a, b) = "Pow";
    /// The larger of the two.
    larger(a, b) = "Max";
    /// The smaller of the two.
    smaller(a, b) = "Min";
    /// `√a`
    root(a) = "Sqrt";
    /// `ln a`
    logarithm(a) = "Log";
    /// The nearest whole number, of two the even one.
    rounded(a) = "Round";
}
