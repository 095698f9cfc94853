//! `status --watch`: redraws on a terminal, prints what changed elsewhere, and goes on whatever the clusters do.

use super::changes::Changes;
use crate::clock;
use crate::commands::look::{Look, Seen, Watcher};
use crate::exit::Outcome;
use crate::gather::follow::Next;
use crate::gather::outbox::Outbox;
use crate::render::follow;
use crate::render::output::Output;
use crate::render::status::{self as render, Columns};
use crate::render::style::Style;
use crate::ui::{Screen, reader_is_gone, stream};
use runway_core::assess::{Item, Selection, Verdict};
use runway_core::problem::Problem;
use std::time::Duration;

/// Registries are asked at most this often: a watch may stand open for days.
const EVERY: Duration = Duration::from_secs(60);
/// On a terminal ages are drawn anew this often.
const REDRAW: Duration = Duration::from_secs(5);
/// How often it is looked whether anybody still reads.
const READER: Duration = Duration::from_secs(1);

/// Watches until a signal comes, or nobody reads any more.
pub(crate) fn watch(look: &Look<'_>, selection: &Selection, outputs: &[Output]) -> Result<Outcome, Problem> {
    let wide = match outputs {
        [one] if one.path.is_none() && matches!(one.format.as_str(), "table" | "wide") => one.format == "wide",
        _ => {
            return Err(Problem::usage("--watch prints a table to standard output, nothing else")
                .hint("take -o table or -o wide; --wait prints any document at its end"));
        }
    };
    let mut viewer = Viewer { look, selection, wide, changes: Changes::default(), screen: Screen::default(), begun: false };
    crate::block_on(async {
        tokio::select! {
            followed = look.follow(EVERY, &mut viewer) => followed,
            () = reader_gone() => Ok(()),
        }
    })?;
    Ok(Outcome::YES)
}

async fn reader_gone() {
    while !reader_is_gone() {
        tokio::time::sleep(READER).await;
    }
}

struct Viewer<'a> {
    look: &'a Look<'a>,
    selection: &'a Selection,
    wide: bool,
    changes: Changes,
    screen: Screen,
    begun: bool,
}

impl Watcher for Viewer<'_> {
    async fn turn<'a>(&mut self, seen: Seen<'a>, _outbox: &mut Outbox<'a>) -> Result<Next, Problem> {
        let size = Screen::size();
        if size.is_some() && self.changes.is_news(&seen) {
            // What is said on stderr must not be drawn over.
            self.screen.leave();
        }
        self.changes.clusters(&seen, self.look.ui);
        let clusters = seen.answer.clusters.len();
        let answer = seen.answer.only(self.look.named);
        let shown: Vec<&Item> = answer.items.iter().filter(|item| self.selection.shows(item)).collect();
        let columns = match (self.wide, clusters) {
            (true, _) => Columns::Wide,
            (false, 0 | 1) => Columns::Narrow,
            (false, _) => Columns::Clusters,
        };
        let goes_on = match size {
            Some((width, height)) => {
                let style = Style { width: Some(width), ..self.look.ui.style() };
                let summary = render::summary(&answer.items, clusters);
                self.screen.draw(&block(shown, columns, style, (height, &summary)))?
            }
            None => self.print(&shown, columns)?,
        };
        let wake = size.map(|_| clock::monotonic() + REDRAW);
        Ok(if goes_on { Next::Until(wake) } else { Next::End })
    }
}

impl Viewer<'_> {
    /// Prints the rows that changed; the heads once.
    fn print(&mut self, shown: &[&Item], columns: Columns) -> Result<bool, Problem> {
        let (changed, gone) = self.changes.rows(shown);
        let table = render::rows(&changed, clock::now(), self.look.ui.style(), columns);
        let heads = usize::from(std::mem::replace(&mut self.begun, true));
        let mut text = table.split_inclusive('\n').skip(heads).collect::<String>();
        for (cluster, _, _, workload) in gone {
            let on = if matches!(columns, Columns::Narrow) { String::new() } else { format!("{cluster}   ") };
            text.push_str(&runway_core::text::visible(&format!("{on}{workload}   Gone")));
            text.push('\n');
        }
        if changed.is_empty() && text.lines().count() == 0 { Ok(true) } else { stream(&text) }
    }
}

/// What fits on the terminal: when rows have to be left out, those that are Ready go first.
fn block(mut rows: Vec<&Item>, columns: Columns, style: Style, (height, summary): (usize, &str)) -> String {
    // Heads, the summary, and the line where the cursor stands.
    let room = height.saturating_sub(3).max(1);
    let all = rows.len();
    if all > room {
        rows.sort_by_key(|item| item.verdict == Verdict::Ready);
        rows.truncate(room.saturating_sub(1).max(1));
    }
    let now = clock::now();
    let mut text = render::rows(&rows, now, style, columns);
    if all > rows.len() {
        text.push_str(&format!("… and {} more\n", all - rows.len()));
    }
    let width = style.width.unwrap_or(80);
    let last = format!("{summary}; {}", now.strftime("%H:%M:%SZ"));
    let text = style.drawn(text);
    let lines = text.lines().chain([last.as_str()]).map(|line| follow::fit(line, width));
    lines.collect::<Vec<_>>().join("\n") + "\n"
}
