#include "served.h"

#include <csignal>
#include <cstdlib>

namespace belay::test {

Spawn belay_spawn(std::vector<std::string> arguments,
                  std::vector<std::pair<std::string, std::string>> env) {
  const char* program = std::getenv("BELAY_PROGRAM");
  arguments.insert(arguments.begin(), program == nullptr ? "belay" : program);
  std::vector<std::pair<std::string, std::string>> clean = {
      {"BELAY_DB", ""}, {"BELAY_CONFIG", ""}, {"BELAY_PROGRAM", ""}, {"NOTIFY_SOCKET", ""}};
  clean.insert(clean.end(), env.begin(), env.end());
  return {.argv = std::move(arguments), .env = std::move(clean), .limit = std::chrono::seconds(60)};
}

Served::Served(std::vector<std::string> flags, Env env) {
  std::vector<std::string> words = {"serve", "--db", db_, "--listen",
                                    "127.0.0.1:" + std::to_string(port_)};
  words.insert(words.end(), flags.begin(), flags.end());
  process_ = std::make_unique<Process>(belay_spawn(std::move(words), std::move(env)));
}

Finished Served::stop() {
  process_->kill(SIGTERM);
  return process_->wait();
}

std::string saga_to(const std::string& gid, const std::string& action, const std::string& more) {
  return R"({"gid":")" + gid + R"(","trans_type":"saga","steps":[{"action":")" + action +
         R"(","compensate":""}],"payloads":["{}"])" + more + "}";
}

}  // namespace belay::test
