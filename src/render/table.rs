//! Tables as kubectl prints them: upper-case heads, no borders, one line a row.

use super::style::Style;
use comfy_table::{ContentArrangement, Table, presets};
use runway_core::text::visible;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Spaces between columns, as kubectl has them.
const GAP: usize = 3;

/// A table; the last column takes what is left of the terminal's width and is cut there.
pub(crate) fn table(heads: &[&str], rows: &[Vec<String>], style: Style) -> String {
    let mut cells: Vec<Vec<String>> = vec![heads.iter().map(|head| (*head).to_owned()).collect()];
    cells.extend(rows.iter().map(|row| row.iter().map(|cell| visible(cell).into_owned()).collect()));
    if let Some(width) = style.width {
        let fixed: usize = (0..heads.len().saturating_sub(1)).map(|n| column_width(&cells, n) + GAP).sum();
        let left = width.saturating_sub(fixed).max(12);
        for row in &mut cells {
            if let Some(last) = row.last_mut() {
                *last = cut(last, left, style.ascii);
            }
        }
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    for row in cells {
        table.add_row(row);
    }
    let last = heads.len().saturating_sub(1);
    for (n, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, u16::try_from(if n == last { 0 } else { GAP }).unwrap_or(0)));
    }
    let mut text = table.trim_fmt();
    text.push('\n');
    let Some(width) = style.width else { return text };
    // Where even the other columns are too wide, a row is still one line.
    text.lines().flat_map(|line| [cut(line, width, style.ascii), "\n".to_owned()]).collect()
}

/// The heads, with the columns before one cut so far that it can be seen whole: on a terminal of few columns a name says less than
/// what is said of it.
pub(crate) fn keeping(kept: usize, heads: &[&str], rows: &mut [Vec<String>], style: Style) -> Vec<String> {
    let mut heads: Vec<String> = heads.iter().map(|head| (*head).to_owned()).collect();
    let Some(width) = style.width else { return heads };
    let widest = |heads: &[String], rows: &[Vec<String>], n| {
        column_width(rows, n).max(heads.get(n).map_or(0, |head| head.as_str().width()))
    };
    // A gap on either side: behind it stands what says that there is more.
    let mut room = width.saturating_sub(widest(&heads, rows, kept) + (kept + 1) * GAP);
    if (0..kept).map(|n| widest(&heads, rows, n)).sum::<usize>() <= room {
        return heads;
    }
    for n in 0..kept {
        // What a column does not need the next ones get.
        let share = room / (kept - n);
        for cell in rows.iter_mut().filter_map(|row| row.get_mut(n)).chain(heads.get_mut(n)) {
            *cell = cut(&visible(cell), share, style.ascii);
        }
        room = room.saturating_sub(widest(&heads, rows, n));
    }
    heads
}

fn column_width(cells: &[Vec<String>], n: usize) -> usize {
    cells.iter().filter_map(|row| row.get(n)).map(|cell| cell.width()).max().unwrap_or(0)
}

/// Cuts to a width in terminal cells, with an ellipsis.
pub(crate) fn cut(text: &str, width: usize, ascii: bool) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let end = if ascii { "..." } else { "…" };
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used + end.width() > width {
            break;
        }
        out.push(c);
    }
    out.push_str(end);
    out
}

#[cfg(test)]
mod tests {
    use super::{cut, table};
    use crate::render::style::Style;

    #[test]
    fn looks_like_kubectl() {
        let rows = [
            vec!["a".to_owned(), "Ready".to_owned(), "x\u{1b}[2J".to_owned()],
            vec!["日本".to_owned(), "Failed".to_owned(), String::new()],
        ];
        let text = table(&["NAME", "VERDICT", "MESSAGE"], &rows, Style::default());
        assert_eq!(text, "NAME   VERDICT   MESSAGE\na      Ready     x\\u{1b}[2J\n日本   Failed\n");
    }

    #[test]
    fn a_column_is_kept_where_there_is_little_room() {
        let narrow = |width, heads: &[&str], kept| {
            let mut rows = vec![vec!["a-long-name-of-a-workload".to_owned(); heads.len()], vec!["b".to_owned(); heads.len()]];
            rows[0][kept] = "Failed".to_owned();
            let style = Style { width: Some(width), ..Style::default() };
            let heads = super::keeping(kept, heads, &mut rows, style);
            table(&heads.iter().map(String::as_str).collect::<Vec<_>>(), &rows, style)
        };
        let text = narrow(20, &["WORKLOAD", "VERDICT", "BREAK"], 1);
        assert_eq!(text, "WORKLO…   VERDICT  …\na-long…   Failed   …\nb         b        …\n");
        let text = narrow(30, &["CLUSTER", "WORKLOAD", "VERDICT", "BREAK"], 2);
        assert!(text.lines().all(|line| line.chars().count() <= 30) && text.contains("   Failed"), "{text}");
        let text = narrow(60, &["WORKLOAD", "VERDICT", "BREAK"], 1);
        assert!(text.contains("a-long-name-of-a-workload   Failed"), "{text}");
    }

    #[test]
    fn the_last_column_is_cut() {
        let rows = [vec!["n".to_owned(), "m".repeat(100)]];
        let text = table(&["NAME", "MESSAGE"], &rows, Style { width: Some(40), ..Style::default() });
        assert!(text.lines().all(|line| line.chars().count() <= 40), "{text}");
        assert_eq!((cut("日本語", 4, false), cut("abcdef", 5, true)), ("日…".to_owned(), "ab...".to_owned()));
    }
}
