/** `codespar help`. Widths: terminals of 80 columns. */
export const USAGE = `codespar: coding agents in the chats where a team already works

Usage: codespar <command> [options]      (in a clone: npm run -s codespar -- …)

  start                   run everything on this machine, and chat with it
    --repo PATH             work on a copy of the git repository in that folder
    --github OWNER/REPO     work on GitHub itself, with GITHUB_TOKEN
    --once MESSAGE          send one message, print the final reply, and end
    --timeout SECONDS       how long to wait for it (600)

  chat                    chat with a CodeSpar that runs
    --url URL               where (default: what runs on this machine)
    --token TOKEN           your terminal token (or CODESPAR_TOKEN)
    --project NAME          in that project's conversation
    --conversation NAME     in the conversation of that name
    --once MESSAGE, --timeout SECONDS    as above

  parse TEXT              how the command grammar reads a message
    --json                  as JSON

  audit export            write an audit chain, one entry on each line
    --project NAME          of that project (default: what runs on this machine)
    --organisation          of the organisation
    --url URL, --token TOKEN    (or CODESPAR_API_TOKEN)
  audit verify FILE       check an export; needs nothing but the file
    --head SEQUENCE:HASH    it must contain that entry (finds a cut end)

  token ACCOUNT           make a terminal token (--url, --token)
  claim-code              make a code that makes its user the first owner

  help, --help            this page
  --version               the version

Exit status: 0 done; 1 it failed, or the reply says so; 2 wrong usage.
Messages piped into start and chat are sent line by line.
State is kept in CODESPAR_STATE_DIR, else $XDG_STATE_HOME/codespar, else
~/.local/state/codespar.`;
