//! Line charts as SVG that stands in an HTML page.
//!
//! The backend writes colours as attributes; the page's style sheet matches them and replaces them in the dark. It
//! places by whole numbers, so it is given [`FINE`] units for a pixel. Each chart is drawn twice, the second time for
//! phones, whose screens would shrink the text of the first: the style sheet shows the one that fits.

mod axis;
mod palette;
mod percentiles;
mod plot;
mod thin;
mod timeline;

use plot::{Area, Error, FINE};
use plotters::prelude::{IntoDrawingArea, SVGBackend};

pub use palette::palette;
pub use percentiles::percentiles;
pub use timeline::timeline;

/// The same chart for both widths; empty what could not be drawn.
pub struct Chart {
    pub wide: String,
    pub narrow: String,
}

/// Width and height in pixels.
#[derive(Clone, Copy)]
struct Shape {
    width: u32,
    height: u32,
}

impl Shape {
    fn is_narrow(self) -> bool {
        self.width < 600
    }

    /// Room for the numbers of the upright axis.
    fn left(self) -> u32 {
        if self.is_narrow() { 52 } else { 62 }
    }
}

/// `label` is what a screen reader says instead of the picture: ours, without anything that needs escaping.
fn both(label: &str, height: u32, draw: impl Fn(&Area<'_>, Shape) -> Result<(), Error>) -> Chart {
    let drawn = |class, width| svg(class, Shape { width, height }, label, &draw).unwrap_or_default();
    Chart { wide: drawn("wide", 860), narrow: drawn("narrow", 360) }
}

fn svg(
    class: &str,
    shape: Shape,
    label: &str,
    draw: impl Fn(&Area<'_>, Shape) -> Result<(), Error>,
) -> Result<String, Error> {
    let (width, height) = (shape.width * FINE, shape.height * FINE);
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, (width, height)).into_drawing_area();
        draw(&area, shape)?;
        area.present()?;
    }
    // The backend's root element has a fixed size and no title.
    let drawing = text.split_once('>').map_or("", |(_, drawing)| drawing);
    Ok(format!(
        "<svg class=\"chart {class}\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{label}\">\n\
         <title>{label}</title>{drawing}"
    ))
}
