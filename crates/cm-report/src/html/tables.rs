//! Tables of figures and of differences on the page.

use cm_record::Results;
use maud::{Markup, html};

use crate::{
    comparisons,
    figures::style::LossStyle,
    summary,
    table::{Cell, Row, Table},
    text::capitalized,
};

/// A table of the figures of every loss.
pub(super) fn figures(results: &Results, table: &Table) -> Markup {
    let losses = summary::losses(results);
    html! {
        div.scroll {
            table.accuracy {
                caption { (capitalized(&table.title)) }
                thead {
                    @if let Some((axis, columns)) = &table.group {
                        tr.group {
                            td {}
                            th scope="colgroup" colspan=(columns) { (axis) }
                        }
                    }
                    tr {
                        th scope="col" { "Loss" }
                        @for heading in &table.columns { th scope="col" { (lines(&heading.text)) } }
                    }
                }
                tbody {
                    @for row in &table.rows {
                        tr {
                            (loss(row, losses.iter().position(|loss| *loss == row.loss).unwrap_or(0)))
                            @for found in &row.cells { (cell(found)) }
                        }
                    }
                }
                @if table.columns.iter().any(|heading| heading.images.is_some()) {
                    tfoot {
                        tr {
                            th scope="row" { "test images" }
                            @for heading in &table.columns { td { (heading.images.as_deref().unwrap_or("")) } }
                        }
                    }
                }
            }
        }
    }
}

/// What line breaks in a heading are on a page.
fn lines(text: &str) -> Markup {
    html! {
        @for (i, line) in text.lines().enumerate() {
            @if i > 0 { br; }
            (line)
        }
    }
}

fn loss(row: &Row, position: usize) -> Markup {
    let color = LossStyle::of(&row.loss, position).color;
    let background = format!("background:#{:02x}{:02x}{:02x}", color.0, color.1, color.2);
    html! {
        th scope="row" {
            span.swatch style=(background) {}
            (row.loss)
            @if let Some(missing) = &row.missing { " " small { (missing) } }
        }
    }
}

fn cell(cell: &Cell) -> Markup {
    html! {
        td {
            (marked(&cell.mean, cell.best))
            @if let Some(spread) = &cell.spread { small { (spread) } }
        }
    }
}

fn marked(text: &str, marked: bool) -> Markup {
    html! { @if marked { strong { (text) } } @else { (text) } }
}

/// What the paired tests say, or why they say nothing.
pub(super) fn comparisons(results: &Results) -> Markup {
    match comparisons::families(results) {
        Err(reason) => html! { p { (reason) } },
        Ok(families) => html! {
            @for family in &families {
                div.scroll {
                    table.differences {
                        caption { (family.title) }
                        thead { tr { @for heading in &family.headings { th scope="col" { (heading) } } } }
                        tbody {
                            @for row in &family.rows {
                                tr {
                                    th scope="row" { (row.pair) }
                                    td { (marked(&row.mean, row.significant)) }
                                    td { (row.interval) }
                                    td { (row.p) }
                                    td { (row.pairs) }
                                }
                            }
                        }
                    }
                }
            }
            ul.notes { li { (comparisons::note(results).replace("is marked", "is bold")) } }
        },
    }
}
