//! How cost grows with instances: three panels side by side, drawn by plotters.

use std::path::Path;

use plotters::prelude::*;

use crate::Failure;
use crate::storm::Figures;

const LINE: RGBColor = RGBColor(0x1f, 0x6f, 0xc4);

/// Draws the chart.
pub(crate) fn draw(path: &Path, figures: &[Figures]) -> Result<(), Failure> {
    let root = SVGBackend::new(path, (1080, 340)).into_drawing_area();
    root.fill(&WHITE)?;
    let panels = root.split_evenly((1, 3));
    type Value = fn(&Figures) -> f64;
    let values: [(&str, Value); 3] = [
        ("Connect + register, all (s)", |figures| figures.registered.seconds),
        ("Relay's resident memory (MB)", |figures| figures.resident_mb),
        ("Request at a fixed rate, p99 (ms)", |figures| figures.requests.p99_ms),
    ];
    for (panel, (title, value)) in panels.iter().zip(values) {
        let points: Vec<(f64, f64)> =
            figures.iter().map(|figures| (figures.instances as f64 / 1000.0, value(figures))).collect();
        let (right, top) = points.iter().fold((0.0_f64, 0.0_f64), |(right, top), (x, y)| (right.max(*x), top.max(*y)));
        let mut chart = ChartBuilder::on(panel)
            .caption(title, ("sans-serif", 16))
            .margin(14)
            .x_label_area_size(42)
            .y_label_area_size(44)
            .build_cartesian_2d(0.0..right * 1.06, 0.0..top * 1.15)?;
        chart
            .configure_mesh()
            .x_desc("thousand instances")
            .x_labels(6)
            .y_labels(6)
            .x_label_formatter(&|x| format!("{x:.0}"))
            .light_line_style(WHITE)
            .label_style(("sans-serif", 13))
            .draw()?;
        chart.draw_series(LineSeries::new(points.iter().copied(), LINE.stroke_width(2)))?;
        chart.draw_series(points.iter().map(|point| Circle::new(*point, 4, LINE.filled())))?;
    }
    root.present()?;
    Ok(())
}
