//! Plain text in columns and in paragraphs.

/// Of a line; a terminal's, or a mail's.
pub const WIDTH: usize = 100;

/// Rows under each other. `align` has a `<` or `>` for each column.
pub fn columns(align: &str, rows: &[Vec<String>]) -> String {
    let mut widths = vec![0; align.len()];
    for (width, cell) in rows.iter().flat_map(|row| widths_of(row)) {
        if let Some(widest) = widths.get_mut(cell) {
            *widest = width.max(*widest);
        }
    }
    rows.iter().map(|row| line(align, &widths, row)).collect()
}

fn widths_of(row: &[String]) -> impl Iterator<Item = (usize, usize)> {
    row.iter().enumerate().map(|(index, cell)| (cell.chars().count(), index))
}

fn line(align: &str, widths: &[usize], row: &[String]) -> String {
    let cells = align.chars().zip(widths).zip(row).map(|((side, &width), cell)| {
        let cell = one_line(cell);
        if side == '>' { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
    });
    let line = cells.collect::<Vec<String>>().join("  ");
    line.trim_end().to_owned() + "\n"
}

/// Broken between words. The first line follows `head`, which the others are indented by.
pub fn paragraph(head: &str, text: &str) -> String {
    let indent = head.chars().count();
    let (mut written, mut line) = (String::new(), head.to_owned());
    let mut is_empty = true;
    for word in text.split_whitespace() {
        if !is_empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            written += &(line + "\n");
            line = " ".repeat(indent);
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line += &one_line(word);
        is_empty = false;
    }
    written + line.trim_end() + "\n"
}

/// Cut with an ellipsis where it is longer.
pub fn shortened(text: &str, characters: usize) -> String {
    if text.chars().count() <= characters {
        return text.to_owned();
    }
    let kept: String = text.chars().take(characters.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// Without what would move a terminal's cursor.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aligned_to_both_sides() {
        let rows = [vec!["echo".into(), "1".into(), "µ".into()], vec!["s".into(), "1,000".into(), String::new()]];
        assert_eq!(columns("<><", &rows), "echo      1  µ\ns     1,000\n");
        assert_eq!(columns("<", &[vec!["a\u{1b}[2J\nb".into()]]), "a [2J b\n");
    }

    #[test]
    fn broken_between_words() {
        let text = paragraph("  fault  ", &"a word ".repeat(30));
        assert!(text.lines().count() > 2 && text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert!(text.lines().skip(1).all(|line| line.starts_with("         a") || line.starts_with("         w")));
        assert_eq!(paragraph("x ", ""), "x\n");
    }

    #[test]
    fn cut() {
        assert_eq!(shortened("päper", 5), "päper");
        assert_eq!(shortened("päper clip", 7), "päper…");
    }
}
