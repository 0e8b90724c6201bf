//! Where words go: results to stdout, everything else to stderr; progress and colours only where a person looks.

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Global;
use super::answer::{self, Answer};
use crate::error::Error;
use crate::pipeline::Step;

/// What the command line says about talking.
#[derive(Debug)]
pub(super) struct Ui {
    json: bool,
    talk: Talk,
    progress: bool,
}

/// How much is said beside results and errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Talk {
    Little,
    Usual,
    Much,
}

impl Ui {
    pub(super) fn new(global: &Global) -> Self {
        let &Global { json, quiet, verbose, no_progress, .. } = global;
        let talk = match (quiet, verbose) {
            (true, _) => Talk::Little,
            (_, true) => Talk::Much,
            _ => Talk::Usual,
        };
        Self { json, talk, progress: !no_progress && !quiet && io::stderr().is_terminal() }
    }

    /// Prints a result.
    pub(super) fn give(&self, answer: &Answer) -> ExitCode {
        if answer.json.is_null() {
            return ExitCode::SUCCESS;
        }
        if self.json {
            print_json(&answer.json);
        } else {
            print(&answer.text);
        }
        ExitCode::SUCCESS
    }

    /// Says a result on stderr, because something else is written to stdout; what is left to print there is nothing.
    pub(super) fn aside(&self, answer: &Answer) -> Answer {
        if self.json {
            say(&format!("{:#}", answer.json));
        } else if self.talk >= Talk::Usual {
            say(answer.text.trim_end());
        }
        Answer { text: String::new(), json: serde_json::Value::Null }
    }

    /// Prints a failure, and returns its exit code.
    pub(super) fn fail(&self, error: &Error) -> ExitCode {
        fail(error, self.json)
    }

    /// A bar that follows a run.
    pub(super) fn progress(&self) -> Progress<'_> {
        let target = if self.progress { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let style = ProgressStyle::with_template("{spinner} {msg}  {pos} of {len} done  {elapsed}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::with_draw_target(Some(0), target).with_style(style);
        Progress { ui: self, bar, since: Instant::now() }
    }
}

/// Follows the steps of a run.
#[derive(Debug)]
pub(super) struct Progress<'a> {
    ui: &'a Ui,
    bar: ProgressBar,
    since: Instant,
}

impl Progress<'_> {
    /// Shows that something goes on whose steps are not counted.
    pub(super) fn wait(&self, message: &'static str) {
        if self.ui.progress {
            self.bar.set_style(ProgressStyle::default_spinner());
            self.bar.set_message(message);
            self.bar.enable_steady_tick(Duration::from_millis(100));
        }
    }

    pub(super) fn follow(&mut self, step: Step<'_>) {
        match step {
            Step::Planned { n_stale, n_units } => {
                self.bar.set_length(n_stale as u64);
                if self.ui.progress && n_stale > 0 {
                    self.bar.enable_steady_tick(Duration::from_millis(100));
                }
                if self.ui.talk == Talk::Much {
                    self.say(&format!("{n_stale} of {n_units} units are stale"));
                }
            }
            Step::Started(unit) => {
                self.since = Instant::now();
                self.bar.set_message(unit.to_owned());
            }
            Step::Finished(unit) => {
                self.bar.inc(1);
                if self.ui.talk == Talk::Much {
                    self.say(&format!("{unit} done in {:.1} s", self.since.elapsed().as_secs_f64()));
                }
            }
            Step::Note(text) if self.ui.talk >= Talk::Usual => self.say(text),
            Step::Note(_) => {}
        }
    }

    fn say(&self, text: &str) {
        self.bar.suspend(|| say(text));
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A command line that clap did not take (exit code 2), or its help and version (exit code 0).
pub(super) fn refuse(refusal: &clap::Error) -> ExitCode {
    if refusal.use_stderr() && std::env::args_os().any(|argument| argument == "--json") {
        let text = refusal.render().to_string();
        let message = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
        return fail(&Error::usage(message).hint("clo --help shows what there is"), true);
    }
    let _ = refusal.print();
    ExitCode::from(u8::try_from(refusal.exit_code()).unwrap_or(2))
}

/// Whether a terminal may be coloured (<https://no-color.org>).
pub(super) fn may_colour(terminal: bool) -> bool {
    terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// `text` in bold, where stdout may be coloured.
pub(super) fn bold(text: &str) -> String {
    if may_colour(io::stdout().is_terminal()) { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() }
}

fn fail(error: &Error, json: bool) -> ExitCode {
    if json {
        print_json(&answer::failure(error));
    }
    let text = error.to_string();
    say(&if may_colour(io::stderr().is_terminal()) { coloured(&text) } else { text });
    ExitCode::from(error.exit_code())
}

/// Paints the words that lead a line: they are read without colour just as well.
fn coloured(text: &str) -> String {
    let paint = |line: &str| {
        let painted = |word: &str, colour: &str| {
            line.strip_prefix(word).map(|rest| format!("\x1b[1;{colour}m{word}\x1b[0m{rest}"))
        };
        painted("error:", "31").or_else(|| painted("help:", "36")).unwrap_or_else(|| line.to_owned())
    };
    text.lines().map(paint).collect::<Vec<_>>().join("\n")
}

fn say(text: &str) {
    // Nobody reads stderr any more: there is no one left to tell.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

fn print_json(value: &serde_json::Value) {
    print(&format!("{value:#}\n"));
}

/// Writes to stdout. A reader that has seen enough (`clo … | head`) ends the program in silence.
fn print(text: &str) {
    let mut stdout = io::stdout().lock();
    if let Err(error) = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        let code = if error.kind() == io::ErrorKind::BrokenPipe { 0 } else { 4 };
        if code > 0 {
            say(&format!("error: cannot write the result: {error}"));
        }
        std::process::exit(code);
    }
}
