//! The colours of the charts by day. Each has a variable in the style sheet, which has it by day and in the dark.

use plotters::style::RGBColor;

/// Text beside axes.
pub const INK: RGBColor = RGBColor(0x57, 0x61, 0x70);
pub const GRID: RGBColor = RGBColor(0xdf, 0xe3, 0xe9);
/// Where a round starts.
pub const MARK: RGBColor = RGBColor(0xa9, 0xb2, 0xbf);
pub const LOAD: RGBColor = RGBColor(0x1d, 0x5f, 0xc4);
pub const ECHO: RGBColor = RGBColor(0x0f, 0x80, 0x6d);
pub const SYNC: RGBColor = RGBColor(0xb4, 0x5c, 0x09);
pub const SLOW: RGBColor = RGBColor(0x8b, 0x3f, 0xa8);

/// Names of variables in the style sheet, and what stands for them in a drawing.
const PALETTE: [(&str, RGBColor); 7] =
    [("muted", INK), ("grid", GRID), ("mark", MARK), ("load", LOAD), ("echo", ECHO), ("sync", SYNC), ("slow", SLOW)];

/// Name of the variable, and the colour as it is written in a drawing.
pub fn palette() -> impl Iterator<Item = (&'static str, String)> {
    PALETTE.into_iter().map(|(name, RGBColor(r, g, b))| (name, format!("#{r:02X}{g:02X}{b:02X}")))
}
