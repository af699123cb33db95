//! The comparison as a bar chart, drawn by plotters.

use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::report::Row;

const OURS: RGBColor = RGBColor(0x1f, 0x6f, 0xc4);
const PEER: RGBColor = RGBColor(0x9a, 0xa3, 0xad);
const INK: RGBColor = RGBColor(0x1d, 0x24, 0x2b);
const BAR: i32 = 30;
const LABELS: i32 = 330;
const WIDTH: i32 = 960;
const TOP: i32 = 62;

/// Draws one bar per row, the time per item at its end.
pub fn draw(path: &Path, title: &str, subtitle: &str, rows: &[Row]) -> Result<(), Box<dyn std::error::Error>> {
    let count = i32::try_from(rows.len())?;
    let size = (u32::try_from(WIDTH)?, u32::try_from(TOP + count * BAR + 16)?);
    let root = SVGBackend::new(path, size).into_drawing_area();
    root.fill(&WHITE)?;
    let font = |size: i32, color: RGBColor| ("sans-serif", size).into_font().color(&color);
    root.draw(&Text::new(title.to_owned(), (16, 14), font(20, INK)))?;
    root.draw(&Text::new(subtitle.to_owned(), (16, 40), font(13, INK)))?;
    let longest = rows.iter().map(|row| row.median_us).fold(0.0, f64::max);
    for (index, row) in (0..count).zip(rows) {
        let top = TOP + index * BAR;
        let length = (row.median_us / longest * f64::from(WIDTH - LABELS - 190)).round() as i32;
        let color = if row.ours { OURS } else { PEER };
        root.draw(&Rectangle::new([(LABELS, top + 5), (LABELS + length, top + BAR - 5)], color.filled()))?;
        let label = font(14, INK).pos(Pos::new(HPos::Right, VPos::Center));
        root.draw(&Text::new(row.what.clone(), (LABELS - 10, top + BAR / 2), label))?;
        let value = if row.ours {
            format!("{:.1} us, {:.1}x the fastest peer", row.median_us, row.times_fastest_peer)
        } else {
            format!("{:.1} us", row.median_us)
        };
        let value_style = font(13, INK).pos(Pos::new(HPos::Left, VPos::Center));
        root.draw(&Text::new(value, (LABELS + length + 8, top + BAR / 2), value_style))?;
    }
    root.present()?;
    Ok(())
}
