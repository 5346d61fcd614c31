//! The command `ensemble`.

use std::process::ExitCode;

use clap::Parser;
use ensemble_client::{cli::Cli, Context, Error};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let context = Context { options: cli.options };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(async {
            let output = cli.command.run(&context).await?;
            output.print(context.options.json)
        }),
        Err(error) => Err(Error::Other(format!("the system gives no means to wait: {error}"))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", told(&error, context.options.json));
            ExitCode::from(error.kind().exit_code())
        },
    }
}

/// The one line about what went wrong.
fn told(error: &Error, as_json: bool) -> String {
    if !as_json {
        return format!("error: {}", error.line());
    }
    let kind = error.kind();
    serde_json::json!({
        "error": {
            "kind": kind.name(),
            "exitCode": kind.exit_code(),
            "message": error.to_string(),
            "remedy": error.remedy(),
        }
    })
    .to_string()
}
