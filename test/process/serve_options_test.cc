// How `belay serve` is told what to do, and what it refuses.
#include <doctest/doctest.h>

#include <fstream>

#include "served.h"

namespace belay::test {
namespace {

Finished serve(std::vector<std::string> words,
               std::vector<std::pair<std::string, std::string>> env = {}) {
  words.insert(words.begin(), "serve");
  return run(belay_spawn(std::move(words), std::move(env)));
}

// It ended with 2, after one line that contains `part`.
bool refused_for(const Finished& end, std::string_view part) {
  const bool one_line = end.err.find('\n') == end.err.size() - 1;
  const bool refused = end.exit_code == 2 && one_line && contains(end.err, part);
  if (!refused) MESSAGE(end.exit_code << ": " << end.err);
  return refused;
}

}  // namespace

TEST_SUITE("process/serve options") {
  TEST_CASE("a flag goes before the environment, the environment before the file") {
    const TempDir dir;
    std::ofstream(dir.file("c.toml")) << "stuck-after = 1\nbranches-max = 10\nhosts-max = 100\n";
    const auto end = serve({"--print-config", "--config", dir.file("c.toml"), "--stuck-after", "3"},
                           {{"BELAY_STUCK_AFTER", "2"}, {"BELAY_BRANCHES_MAX", "20"}});
    CHECK(end.exit_code == 0);
    CHECK(contains(end.out, "\nstuck-after = 3\n"));
    CHECK(contains(end.out, "\nbranches-max = 20\n"));
    CHECK(contains(end.out, "\nhosts-max = 100\n"));
    CHECK(contains(end.out, "\ngid-bytes-max = 128\n"));
  }

  TEST_CASE("what --print-config prints is a file for --config") {
    const TempDir dir;
    const auto first = serve({"--print-config", "--allow-target", "https://*.example.com",
                              "--allow-target", "10.0.0.1:8080", "--retention", "2d",
                              "--hook-proxy", "http://me:secret@proxy:3128"});
    CHECK(first.exit_code == 0);
    CHECK_FALSE(contains(first.out, "me:secret"));
    // The secret must be put back first.
    std::ofstream(dir.file("c.toml")) << first.out;
    const auto refused = serve({"--print-config"}, {{"BELAY_CONFIG", dir.file("c.toml")}});
    CHECK(refused_for(refused, ": hook-proxy: '***' stands for what"));
    auto text = first.out;
    text.replace(text.find("***@"), 3, "me:secret");
    std::ofstream(dir.file("c.toml")) << text;
    const auto second = serve({"--print-config"}, {{"BELAY_CONFIG", dir.file("c.toml")}});
    CHECK(second.exit_code == 0);
    CHECK(second.out == first.out);
    CHECK(contains(second.out, "allow-target = [\"https://*.example.com\", \"10.0.0.1:8080\"]"));
  }

  TEST_CASE("a value keeps the sign of equality at its end") {
    const auto end = serve({"--print-config", "--alert-webhook=http://h/x="});
    CHECK(contains(end.out, "\nalert-webhook = \"http://h/x=\"\n"));
  }

  TEST_CASE("a variable that looks like an option is warned about by its name only") {
    const auto end = serve({"--print-config"}, {{"BELAY_TOKEN_FLIE", "a secret"}});
    CHECK(end.exit_code == 0);
    CHECK(contains(end.err, "BELAY_TOKEN_FLIE"));
    CHECK_FALSE(contains(end.err, "a secret"));
    CHECK(serve({"--print-config"}, {{"BELAY_STUCK_AFTER", "7"}}).err == "");
  }

  TEST_CASE("a mistake in the file is refused with its line") {
    const TempDir dir;
    std::ofstream(dir.file("c.toml")) << "# ours\nstuck-after = 1,5\n";
    CHECK(refused_for(serve({"--config", dir.file("c.toml")}), "c.toml:2: "));
  }

  TEST_CASE("beyond loopback it wants a token, or --insecure") {
    const TempDir dir;
    const auto db = dir.file("s.db");
    CHECK(refused_for(serve({"--db", db, "--listen", "0.0.0.0:0"}), "--token-file"));
    CHECK(refused_for(serve({"--db", db, "--listen", "[::]:0"}), "--insecure"));
    CHECK(refused_for(serve({"--db", db}, {{"BELAY_LISTEN", "0.0.0.0:0"}}), "--insecure"));
    Process insecure(belay_spawn({"serve", "--db", db, "--listen", "0.0.0.0:0", "--insecure"}));
    CHECK(insecure.wait_for_output("listening"));
    CHECK(insecure.wait_for_output("--insecure"));
  }

  TEST_CASE("mistakes are refused in a line that names the option") {
    const TempDir dir;
    const auto db = dir.file("s.db");
    CHECK(refused_for(serve({}), "--db"));
    CHECK(refused_for(serve({"--db", db, "--listen", "36789"}), "--listen"));
    CHECK(refused_for(serve({"--db", db, "--tls-cert", "x"}), "--tls-key"));
    CHECK(refused_for(serve({"--db", db, "--stuck-after", "0"}), "--stuck-after"));
    CHECK(refused_for(serve({"--db", db, "--drain-timeout", "soon"}), "--drain-timeout"));
    CHECK(refused_for(serve({"--db", db, "--token-file", "/nowhere/t"}), "/nowhere/t"));
    CHECK(refused_for(serve({"--db", db}, {{"BELAY_HISTORY", "some"}}), "BELAY_HISTORY"));
    CHECK(refused_for(serve({"--db", db, "--no-such-option"}), "--no-such-option"));
    CHECK(refused_for(serve({"--db", db, "--insecure=maybe"}), "--insecure: 'maybe'"));
    CHECK(refused_for(serve({"--db", db, "--listen="}), "--listen: ''"));
    CHECK(refused_for(serve({"--db", db, "--hook-proxy", "no proxy"}), "--hook-proxy: "));
    CHECK(refused_for(serve({"--db", db, "--alert-webhook", "http://a b"}), "--alert-webhook: "));
    CHECK(refused_for(serve({"--db", db, "--hook-client-cert", "x"}), "--hook-client-key"));
    // What the engine refuses is said in the words of the options.
    CHECK(refused_for(serve({"--db", db, "--allow-target", "a_b c"}), "--allow-target: 'a_b c'"));
    CHECK(refused_for(serve({"--db", db, "--hook-ca-file", "/no_x"}), "--hook-ca-file: '/no_x'"));
    CHECK(refused_for(serve({"--db", db, "--retry-jitter", "5"}), "--retry-jitter is 5"));
    CHECK(refused_for(serve({"--db", db, "--branches-max", "4000000000"}), " --branches-max 4"));
    std::ofstream(dir.file("bad.pem")) << "no certificate";
    CHECK(serve({"--db", db, "--listen", "127.0.0.1:0", "--log-level", "error", "--tls-cert",
                 dir.file("bad.pem"), "--tls-key", dir.file("bad.pem")})
              .exit_code == 1);
  }
}

}  // namespace belay::test
