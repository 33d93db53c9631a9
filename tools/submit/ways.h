// The two ways to submit: to a running server, or directly into a state file.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "command.h"
#include "submit/definitions.h"

namespace belay::tool {

// The state of a submission, as far as the way knows it.
struct Fate {
  std::string status;  // dtm's name; "submitted" if nobody waited
  std::string reason;
};

struct Refusal {
  ExitCode code = ExitCode::failed;
  std::string happened;
  std::string to_do;
};

class Way {
 public:
  virtual ~Way() = default;
  // Submits a transaction; it is on disk if this function returns nothing.
  virtual std::optional<Refusal> submit(const Submission& submission) = 0;
  // Gets the transaction's state; with `wait` when it is final or when `limit` has passed.
  virtual std::optional<Refusal> follow(const Submission& submission, Millis limit, Fate& fate) = 0;
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

// What is wrong with the options of a server, before anything is read or sent.
std::optional<std::string> wrong_with(const ServerAccess& access);

std::unique_ptr<Way> to_server(const ServerAccess& access, std::optional<Refusal>& refusal);
std::unique_ptr<Way> to_file(const FileAccess& access, std::optional<Refusal>& refusal);

}  // namespace belay::tool
