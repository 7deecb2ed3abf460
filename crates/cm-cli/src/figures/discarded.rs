//! Pairs of one person that are rejected, when those of low quality are left out.

use cm_eval::{Comparison, ErrorDiscardCurve};
use cm_report::chart::{Axis, Color, Corner, Curve, Panel};

/// The area under the curve is taken up to this share of pairs left out.
pub const AREA: f64 = 0.3;
/// Of what is left after this share, a share of errors says little.
const SHOWN: f64 = 0.95;

/// The curve of a quality, with the area below it; it begins with this share of rejected pairs.
pub fn curve(name: &str, color: Color, mated: &[Comparison], starting_error: f64) -> Option<Curve> {
    let curve = ErrorDiscardCurve::fixed(mated, starting_error)?;
    let until = curve.points.partition_point(|point| point.0 <= SHOWN);
    let points = curve.points[..until].iter().map(|point| (100.0 * point.0, 100.0 * point.1)).collect();
    Some(Curve::new(format!("{name} (pAUC {:.4})", curve.partial_area(AREA)), color, points))
}

/// The curves of qualities by the norm, beside that of the best order.
pub fn panel(curves: Vec<Curve>, starting_error: f64) -> Panel {
    Panel {
        title: "False rejects among what is left".to_owned(),
        x: Axis::new(0.0..100.0, "pairs left out, shortest features first (%)", 6, true),
        y: Axis::new(0.0..200.0 * starting_error, "pairs of one person rejected (%)", 6, false),
        legend: Corner::TopRight,
        curves,
        about_zero: None,
    }
}
