//! Shapes, and what is taken over a side.

use super::{Graph, Value, integer, integers};

impl Graph {
    /// All sides below the batch as one.
    pub fn flatten(&mut self, input: &Value) -> Value {
        self.node("Flatten", &[input], vec![integer("axis", 1)])
    }

    /// The same numbers as `[batch, …]`.
    pub fn reshape(&mut self, input: &Value, below: &[usize]) -> Value {
        let shape: Vec<i64> = [-1].into_iter().chain(below.iter().map(|&side| side as i64)).collect();
        let shape = self.integers(&shape);
        self.node("Reshape", &[input, &shape], Vec::new())
    }

    /// The Euclidean length of each row, `[batch, 1]`.
    pub fn length(&mut self, rows: &Value) -> Value {
        self.node("ReduceL2", &[rows], vec![integers("axes", &[1]), integer("keepdims", 1)])
    }

    /// The largest along the last of three sides, which goes.
    pub fn largest_of_last(&mut self, input: &Value) -> Value {
        self.node("ReduceMax", &[input], vec![integers("axes", &[2]), integer("keepdims", 0)])
    }

    /// The sum along the last of three sides, which goes.
    pub fn sum_of_last(&mut self, input: &Value) -> Value {
        let axes = self.integers(&[2]);
        self.node("ReduceSum", &[input, &axes], vec![integer("keepdims", 0)])
    }
}
