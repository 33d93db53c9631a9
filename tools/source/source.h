// Where a command reads: a state file, or a running server, which reads its own.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "belay/reader.h"
#include "command.h"
#include "payload/shown_payloads.h"
#include "view/stuck.h"

namespace belay::tool {

// A transaction, with its payloads if a server shows them.
struct ShownTransaction {
  WholeTransaction whole;
  std::optional<std::vector<ShownPayload>> payloads{};
};

class Source {
 public:
  virtual ~Source() = default;
  // As the functions of Reader; a server gives smaller pages than were asked for.
  virtual Result<Page> list(const Filter& filter) = 0;
  // A page for `for_each_stuck`.
  virtual Result<WholePage> list_stuck(const StuckChoice& choice) = 0;
  // A server keeps payloads, headers and custom data for itself.
  virtual Result<WholeTransaction> read(const std::string& gid) = 0;
  // The same with payloads, if a server knows the types of messages and shows payloads to this
  // caller.
  virtual Result<ShownTransaction> read_shown(const std::string& gid) = 0;
  // As `read` with all that a server keeps. Errors: also forbidden, if it does not show that to
  // this caller.
  virtual Result<WholeTransaction> read_with_payloads(const std::string& gid) = 0;
  // True if what is read comes without the secrets that a server hides.
  virtual bool hides_secrets() const = 0;
  virtual Result<std::vector<Topic>> topics() = 0;
  virtual Result<std::vector<Hold>> holds() = 0;
  virtual Result<EngineState> engine_state() = 0;
  // Prints the error of one of these functions, as `tool::fail` does.
  virtual ExitCode fail(Context& context, const Error& error) const = 0;
  // "orders.db", "http://127.0.0.1:36789"
  virtual const std::string& name() const = 0;
};

// Adds --db, --server and what belongs to it, and runs `run` with the source that they name; if it
// cannot be opened, what is wrong is printed.
void on_source(CLI::App* command, Context& context, std::function<ExitCode(Source&)> run);

// Null: it cannot be opened; what is wrong was printed with the code `refused`.
std::unique_ptr<Source> file_source(Context& context, ExitCode& refused);

}  // namespace belay::tool
