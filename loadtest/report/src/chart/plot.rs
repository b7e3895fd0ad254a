//! Axes with their grid, and lines in them.

use plotters::coord::Shift;
use plotters::prelude::{
    Cartesian2d, ChartBuilder, ChartContext, DrawingArea, DrawingAreaErrorKind, LineSeries, SVGBackend,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, IntoFont, RGBColor, TextStyle};

use super::axis::Axis;
use super::palette::{GRID, INK};

/// Units of the drawing for one pixel.
pub const FINE: u32 = 4;
/// The backend divides by 1.24 for what it calls a font's size.
const TEXT_PIXELS: u32 = 15;

pub type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub type Error = DrawingAreaErrorKind<std::io::Error>;

pub struct Plot<'a>(ChartContext<'a, SVGBackend<'a>, Cartesian2d<Axis, Axis>>);

impl<'a> Plot<'a> {
    /// Draws the grid. `left` is the room for the numbers of `y`, in pixels.
    pub fn new(area: &Area<'a>, left: u32, x: &Axis, y: &Axis) -> Result<Self, Error> {
        let mut chart = ChartBuilder::on(area)
            .margin_top(28 * FINE)
            .margin_right(26 * FINE)
            .x_label_area_size(42 * FINE)
            .y_label_area_size(left * FINE)
            .build_cartesian_2d(x.clone(), y.clone())?;
        chart
            .configure_mesh()
            .axis_style(GRID.stroke_width(FINE))
            .bold_line_style(GRID.stroke_width(FINE))
            .label_style(text_style(INK))
            .x_desc(x.name)
            .set_all_tick_mark_size(4 * FINE)
            .draw()?;
        area.draw_text(y.name, &text_style(INK), (0, 0))?;
        Ok(Self(chart))
    }

    /// `pixels` thick.
    pub fn line(&mut self, points: Vec<(f64, f64)>, colour: RGBColor, pixels: f64) -> Result<(), Error> {
        let style = colour.stroke_width((pixels * f64::from(FINE)) as u32);
        self.0.draw_series(LineSeries::new(points, style))?;
        Ok(())
    }

    /// `shift` pixels from a place, on that side of it: left or right, above or below.
    pub fn text(&self, text: &str, place: (f64, f64), shift: (i32, i32), colour: RGBColor) -> Result<(), Error> {
        let (x, y) = self.0.backend_coord(&place);
        let across = if shift.0 < 0 { HPos::Right } else { HPos::Left };
        let upright = if shift.1 < 0 { VPos::Bottom } else { VPos::Top };
        let style = text_style(colour).pos(Pos::new(across, upright));
        let area = self.0.plotting_area().strip_coord_spec();
        let (left, top) = area.get_base_pixel();
        area.draw_text(text, &style, (x - left + shift.0 * FINE as i32, y - top + shift.1 * FINE as i32))
    }
}

fn text_style(colour: RGBColor) -> TextStyle<'static> {
    ("sans-serif", TEXT_PIXELS * FINE).into_font().color(&colour)
}
