// The ways from a command to an engine: a running server; the engine that has a state file open,
// which is asked through that file; or, if none has, an engine of the command's own.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "belay/requests.h"
#include "command.h"
#include "submit/definitions.h"

namespace belay::tool {

// How a transaction stands.
struct Fate {
  std::string status;  // dtm's name
  std::string reason;
  bool is_final() const { return status == "succeed" || status == "failed"; }
};

struct Failure {
  ExitCode code = ExitCode::failed;
  std::string happened;
  std::string to_do;
};

class Way {
 public:
  virtual ~Way() = default;
  // Submits a transaction; it is on disk if this function returns nothing.
  virtual std::optional<Failure> submit(const Submission& submission) = 0;
  // Gets the transaction's state when it is final or when `limit` has passed.
  virtual std::optional<Failure> follow(const std::string& gid, Millis limit, Fate& fate) = 0;
  // What an operator asks; it is decided if this function returns nothing. Refusals: not_found;
  // forbidden, if the transaction's state does not allow it.
  virtual std::optional<Failure> ask(const Request& request) = 0;
};

struct ServerAccess {
  std::string url;
  std::string token_file;
  std::string ca_file;
  std::string cert_file;
  std::string key_file;
};

struct FileAccess {
  std::string db;
  bool must_exist = false;
  // False: an engine of the command's own calls nothing.
  bool makes_calls = true;
  int engines_gone = 0;  // that had the file open when they were asked, and ended without an answer
};

// Adds --server, the options that need it, and --db, which cannot be given beside it; returns
// --server. `access` must live as long as the command.
CLI::Option* add_where_options(CLI::App* command, Context& context, ServerAccess& access);
// What is wrong with the options of a server, before anything is read or sent.
std::optional<std::string> wrong_with(const ServerAccess& access);

// By the server that is named, or else by the file.
std::unique_ptr<Way> way_to(const ServerAccess& server, const FileAccess& file,
                            std::optional<Failure>& refusal);
std::unique_ptr<Way> to_server(const ServerAccess& access, std::optional<Failure>& refusal);
// By the engine that has the file open, or else by one of the command's own.
std::unique_ptr<Way> to_file(const FileAccess& access, std::optional<Failure>& refusal);
// By the engine that has the file open; when that has gone, as `to_file`.
std::unique_ptr<Way> to_live(const FileAccess& access, std::optional<Failure>& refusal);

// The failure that an engine's error is; `place` stands before it.
Failure failure_of(const Error& error, std::string place);
// "alice on gateway-1": who runs this command.
std::string who_asks();

ExitCode refused(Context& context, const Failure& refusal);
// "gid status reason", or an object with these keys; at once, so that whoever interrupts a command
// for many transactions has seen how far it came.
void print_fate(Context& context, const std::string& gid, const Fate& fate);

}  // namespace belay::tool
