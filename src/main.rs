//! The program `clo`: a doorway to the library.

fn main() -> std::process::ExitCode {
    clo::cli::main()
}
