// The two ways from a command to an engine: a running server, or an engine of the command's own on
// a state file that no other engine has open.
#pragma once

#include <memory>
#include <optional>
#include <string>

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
  // What waits for its time is called now. Refusals: not_found; forbidden, if it is final.
  virtual std::optional<Failure> replay(const std::string& gid) = 0;
};

// An engine of the command's own would call what is due before a stop reaches it.
class ServerWay : public Way {
 public:
  // No call is made any more; the transaction fails. Refusals: as for `replay`.
  virtual std::optional<Failure> stop(const std::string& gid, const std::string& reason) = 0;
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
};

// Adds --server and the options that need it; returns --server. `access` must live as long as the
// command.
CLI::Option* add_server_options(CLI::App* command, ServerAccess& access);
// What is wrong with the options of a server, before anything is read or sent.
std::optional<std::string> wrong_with(const ServerAccess& access);

std::unique_ptr<ServerWay> to_server(const ServerAccess& access, std::optional<Failure>& refusal);
std::unique_ptr<Way> to_file(const FileAccess& access, std::optional<Failure>& refusal);

ExitCode refused(Context& context, const Failure& refusal);
// "gid status reason", or an object with these keys.
void print_fate(Context& context, const std::string& gid, const Fate& fate);

}  // namespace belay::tool
