//! A command line that is not finished: which command it has reached, what was given, and what the next word is.

use clap::{Arg, ArgAction, Command};

/// The words before the one to complete, read by clap's definition.
pub(super) struct Line<'a> {
    /// The command reached.
    pub(super) command: &'a Command,
    /// The arguments that were given, by their id, with the value when there is one.
    given: Vec<(&'a str, String)>,
    /// The flag whose value is the next word.
    pub(super) pending: Option<&'a Arg>,
    /// Words that belong to no flag.
    pub(super) words: Vec<String>,
    /// `--` was there: nothing is a flag any more.
    pub(super) only_words: bool,
}

impl<'a> Line<'a> {
    /// Reads the words. What is unknown is passed over: whoever types it will be told when the line is run.
    pub(super) fn read(root: &'a Command, words: &[String]) -> Self {
        let mut line = Self { command: root, given: Vec::new(), pending: None, words: Vec::new(), only_words: false };
        for word in words {
            line.take(word);
        }
        line
    }

    fn take(&mut self, word: &str) {
        if let Some(arg) = self.pending.take() {
            self.given.push((arg.get_id().as_str(), word.to_owned()));
            return;
        }
        match word {
            _ if self.only_words => self.word(word),
            "--" => self.only_words = true,
            _ if word.starts_with("--") => {
                let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
                if let Some(arg) = self.long(name) {
                    self.flag(arg, value);
                }
            }
            _ if word.len() > 1 && word.starts_with('-') => self.shorts(word),
            _ => self.word(word),
        }
    }

    fn word(&mut self, word: &str) {
        let below = self.command.find_subcommand(word).filter(|_| self.words.is_empty() && !self.only_words);
        if let Some(command) = below {
            self.command = command;
            return;
        }
        if let Some(arg) = self.positional() {
            self.given.push((arg.get_id().as_str(), word.to_owned()));
        }
        self.words.push(word.to_owned());
    }

    /// `-abc`, where c may take a value.
    fn shorts(&mut self, word: &str) {
        let mut rest = word.chars().skip(1);
        while let Some(short) = rest.next() {
            let Some(arg) = self.command.get_arguments().find(|arg| arg.get_short() == Some(short)) else { return };
            let value: String = if takes_value(arg) { rest.by_ref().collect() } else { String::new() };
            self.flag(arg, Some(value.strip_prefix('=').unwrap_or(&value)).filter(|value| !value.is_empty()));
        }
    }

    /// A flag of one letter whose value is in the same word: what stands before the value, with `=` where there is one.
    pub(super) fn attached<'w>(&self, word: &'w str) -> Option<(&'w str, &'a Arg, &'w str)> {
        for (at, short) in word.char_indices().skip(1) {
            let arg = self.command.get_arguments().find(|arg| arg.get_short() == Some(short))?;
            if takes_value(arg) {
                let value = word.get(at + short.len_utf8()..).filter(|value| !value.is_empty())?;
                let value = value.strip_prefix('=').unwrap_or(value);
                return Some((word.get(..word.len() - value.len())?, arg, value));
            }
        }
        None
    }

    fn flag(&mut self, arg: &'a Arg, value: Option<&str>) {
        match value {
            None if takes_value(arg) && needs_value(arg) => self.pending = Some(arg),
            value => self.given.push((arg.get_id().as_str(), value.unwrap_or_default().to_owned())),
        }
    }

    /// The flag of a name with its dashes.
    pub(super) fn long(&self, name: &str) -> Option<&'a Arg> {
        let name = name.strip_prefix("--")?;
        self.command.get_arguments().find(|arg| arg.get_long() == Some(name))
    }

    /// The positional that the next word would be.
    pub(super) fn positional(&self) -> Option<&'a Arg> {
        let mut all: Vec<&Arg> = self.command.get_positionals().collect();
        all.sort_by_key(|arg| arg.get_index());
        all.get(self.words.len()).or(all.last().filter(|arg| is_list(arg))).copied()
    }

    /// What was given for an argument, the last time.
    pub(super) fn value(&self, id: &str) -> Option<&str> {
        self.given.iter().rev().find(|(given, _)| *given == id).map(|(_, value)| value.as_str())
    }

    /// All that was given for an argument.
    pub(super) fn values(&self, id: &str) -> impl Iterator<Item = &str> {
        self.given.iter().filter(move |(given, _)| *given == id).map(|(_, value)| value.as_str())
    }

    /// Flags that can still be given, with the dashes.
    pub(super) fn flags(&self) -> impl Iterator<Item = &'a Arg> {
        let open = |arg: &&Arg| is_list(arg) || self.value(arg.get_id().as_str()).is_none();
        self.command.get_arguments().filter(|arg| !arg.is_positional() && !arg.is_hide_set()).filter(open)
    }
}

fn takes_value(arg: &Arg) -> bool {
    arg.get_action().takes_values()
}

/// Whether a flag without `=` takes the next word.
fn needs_value(arg: &Arg) -> bool {
    arg.get_num_args().is_none_or(|range| range.min_values() > 0)
}

fn is_list(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Append | ArgAction::Count)
}
