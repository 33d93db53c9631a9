// Options from flags, the environment and a file.
#include <stdlib.h>

#include <doctest/doctest.h>
#include <CLI/CLI.hpp>
#include <algorithm>
#include <fstream>

#include "serve/option_table.h"
#include "support/process.h"
#include "support/random.h"

namespace belay::tool {
namespace {

enum class Colour { red, green };

struct Bound {
  std::string name = "default";
  bool loud = false;
  std::vector<std::string> hosts;
  unsigned count = 7;
  std::size_t bytes = 1024;
  double rate = 0.5;
  Millis pause{1'500};
  Colour colour = Colour::red;
  std::string proxy;

  void describe(OptionTable& table) {
    table.section("First");
    table.text("name", "TEXT", name, "a name");
    table.flag("loud", loud, "a flag");
    table.list("host", "HOST", hosts, "a list");
    table.section("Second");
    table.count("count", count, "a count", 1);
    table.bytes("bytes", bytes, "a size");
    table.number("rate", rate, "a number");
    table.duration("pause", pause, "a time");
    table.choice<Colour>("colour", "COLOUR", colour,
                         {{"red", Colour::red}, {"green", Colour::green}}, "one");
    table.url("proxy", proxy, "a URL");
  }
};

// A run of the program with these words.
struct Run {
  explicit Run(std::vector<std::string> words) {
    bound.describe(table);
    table.add_to(&app);
    std::reverse(words.begin(), words.end());
    app.parse(words);
    wrong = table.resolve().value_or("");
  }
  CLI::App app;
  OptionTable table;
  Bound bound;
  std::string wrong;
};

struct Variable {
  Variable(const char* variable, const char* value) : name(variable) { setenv(name, value, 1); }
  ~Variable() { unsetenv(name); }
  const char* name;
};

struct File {
  explicit File(const std::string& text) { std::ofstream(path) << text; }
  test::TempDir dir;
  std::string path = dir.file("c.toml");
};

// What is wrong with a file of these lines, without the file's name.
std::string wrong_in(const std::string& lines) {
  const File file(lines + "\n");
  const auto wrong = Run({"--config", file.path}).wrong;
  return wrong.starts_with(file.path) ? wrong.substr(file.path.size()) : wrong;
}

}  // namespace

TEST_SUITE("serve/options") {
  TEST_CASE("what nobody names keeps its default") {
    const Run run({});
    CHECK(run.wrong == "");
    CHECK(run.bound.name == "default");
    CHECK(run.bound.count == 7);
  }

  TEST_CASE("a flag goes before the environment, the environment before the file") {
    const File file("name = \"file\"\ncount = 1\npause = \"1s\" # a comment\n");
    const Variable name("BELAY_NAME", "environment");
    const Variable count("BELAY_COUNT", "2");
    const Run run({"--config", file.path, "--name", "flag"});
    CHECK(run.wrong == "");
    CHECK(run.bound.name == "flag");
    CHECK(run.bound.count == 2);
    CHECK(run.bound.pause == Millis(1'000));
  }

  TEST_CASE("the file may be named by the environment") {
    const File file("[serve]\nname = \"file\"\n");
    const Variable config("BELAY_CONFIG", file.path.c_str());
    CHECK(Run({}).bound.name == "file");
  }

  TEST_CASE("lists are repeated flags, commas in the environment, arrays in the file") {
    const std::vector<std::string> both = {"a.example", "https://b.example"};
    CHECK(Run({"--host", both[0], "--host", both[1]}).bound.hosts == both);
    {
      const Variable hosts("BELAY_HOST", "a.example,https://b.example");
      CHECK(Run({}).bound.hosts == both);
    }
    const File file("host = [\"a.example\", \"https://b.example\"]\n");
    CHECK(Run({"--config", file.path}).bound.hosts == both);
  }

  TEST_CASE("flags take true and false where there are words") {
    CHECK(Run({"--loud"}).bound.loud);
    const Variable loud("BELAY_LOUD", "true");
    CHECK(Run({}).bound.loud);
    CHECK_FALSE(Run({"--loud=false"}).bound.loud);
  }

  TEST_CASE("what is printed reads back as the same") {
    const Run first({"--name", "a b", "--loud", "--host", "x", "--host", "*.y", "--count", "3",
                     "--bytes", "2MiB", "--rate", "1.25", "--pause", "90s", "--colour", "green"});
    REQUIRE(first.wrong == "");
    CHECK(first.bound.bytes == 2 * 1024 * 1024);
    CHECK(first.bound.pause == Millis(90'000));
    const File file(first.table.printed());
    const Run second({"--config", file.path});
    CHECK(second.wrong == "");
    CHECK(second.table.printed() == first.table.printed());
    CHECK(second.bound.hosts == first.bound.hosts);
    CHECK(second.bound.name == "a b");
  }

  TEST_CASE("the defaults read back too") {
    const Run first({});
    const File file(first.table.printed());
    const Run second({"--config", file.path});
    CHECK(second.wrong == "");
    CHECK(second.table.printed() == first.table.printed());
  }

  TEST_CASE("whatever text is printed reads back as the same") {
    const std::vector<std::string> pieces = {
        "#",    "\"",     "'",      "\\",         "\n", "\t",      "\r",   "\x1b",
        "\x7f", "\u00e9", "\u4e2d", "\U0001f600", "=",  "[",       "]",    ",",
        " ",    "\"\"\"", "\'\'\'", "\\n",        "a",  "\\u0041", "${x}", "%"};
    test::Random random(20'261'130);
    const auto text = [&] {
      std::string result;
      for (auto left = random.below(12); left > 0; --left) result += random.one_of(pieces);
      return result;
    };
    for (int round = 0; round < 300; ++round) {
      Run first({});
      first.bound.name = text();
      first.bound.hosts = {text(), text(), text()};
      const File file(first.table.printed());
      const Run second({"--config", file.path});
      REQUIRE(second.wrong == "");
      REQUIRE(second.bound.name == first.bound.name);
      REQUIRE(second.bound.hosts == first.bound.hosts);
    }
  }

  TEST_CASE("what no file can say is left out, and said so") {
    const Run run({"--name", "caf\xe9"});
    CHECK(run.table.printed().find("\n# name is no UTF-8") != std::string::npos);
  }

  TEST_CASE("a URL's password is not printed, and a comment says so") {
    const Run run({"--proxy", "http://me:word@proxy:3128/x@y"});
    const auto printed = run.table.printed();
    CHECK(printed.find("word") == std::string::npos);
    CHECK(printed.find("\nproxy = \"http://***@proxy:3128/x@y\"  # *** stands for what") !=
          std::string::npos);
    // Read back it would be a password that nobody has.
    const File file(printed);
    CHECK(Run({"--config", file.path}).wrong.find("proxy: '***' stands for") != std::string::npos);
    CHECK(Run({"--proxy", "http://h/x?token=***"}).wrong.find("--proxy: '***' stands for") == 0);
  }

  TEST_CASE("what is wrong is named with the place where it was said") {
    CHECK(Run({"--count", "x"}).wrong == "--count: 'x' is no whole number");
    CHECK(Run({"--count", "0"}).wrong == "--count: 0 is not between 1 and 4294967295");
    CHECK(Run({"--count", "4294967296"}).wrong ==
          "--count: 4294967296 is not between 1 and 4294967295");
    CHECK(Run({"--bytes", "2MB"}).wrong.find("--bytes: '2MB'") == 0);
    CHECK(Run({"--pause", "soon"}).wrong.find("--pause: 'soon'") == 0);
    CHECK(Run({"--rate", "-1"}).wrong.find("--rate: '-1'") == 0);
    CHECK(Run({"--colour", "blue"}).wrong == "--colour: 'blue' is none of red, green");
    const Variable count("BELAY_COUNT", "many");
    CHECK(Run({}).wrong == "BELAY_COUNT: 'many' is no whole number");
  }

  TEST_CASE("a file's mistakes are named with its path") {
    CHECK(wrong_in("nam = \"x\"") == ":1: there is no option 'nam'; did you mean 'name'?");
    CHECK(wrong_in("\nsomething-else = 1") == ":2: there is no option 'something-else'");
    CHECK(wrong_in("[server]\nname = \"x\"") ==
          ":1: the table 'server' has no meaning here, only [serve] has");
    CHECK(wrong_in("[[serve]]\nname = \"x\"").find(":1: the table 'serve'") == 0);
    CHECK(wrong_in("[serve.more]\nname = \"x\"").find(":1: the table 'more'") == 0);
    CHECK(wrong_in("count = -1") == ":1: count: '-1' is no whole number");
    CHECK(wrong_in("name = \"a\"\ncount = 1,5").find(":2: this is no TOML: ") == 0);
    CHECK(wrong_in("count = 1\ncount = 2").find(":2: this is no TOML: ") == 0);
    CHECK(wrong_in("count = 1\n[serve]\ncount = 1").find(": count: it is set at ") !=
          std::string::npos);
    CHECK(wrong_in("name = \"a\\u0000b\"") == ":1: name: NUL is no part of a text");
  }

  TEST_CASE("a value of a wrong type is refused with what is expected") {
    CHECK(wrong_in("count = \"7\"") == ":1: count: it must be an integer, not a string");
    CHECK(wrong_in("count = 7.0") == ":1: count: it must be an integer, not a number");
    CHECK(wrong_in("count = [7]") == ":1: count: it must be an integer, not something else");
    CHECK(wrong_in("count = 2026-01-01").find("not something else") != std::string::npos);
    CHECK(wrong_in("name = 7") == ":1: name: it must be a string, not an integer");
    CHECK(wrong_in("pause = 5") ==
          ":1: pause: it must be a string such as \"30s\", not an integer");
    CHECK(wrong_in("pause = \"soon\"").find(":1: pause: 'soon' is no duration") == 0);
    CHECK(wrong_in("loud = \"yes\"") == ":1: loud: it must be true or false, not a string");
    CHECK(wrong_in("host = \"a\"") == ":1: host: it must be an array of strings, not a string");
    CHECK(wrong_in("host = [1]").find("an array of strings, not something else") !=
          std::string::npos);
    CHECK(wrong_in("bytes = true").find("or an integer, not true or false") != std::string::npos);
    CHECK(wrong_in("rate = \"1\"") == ":1: rate: it must be a number, not a string");
    for (const auto* good : {"bytes = 4096", "bytes = \"16MiB\"", "rate = 1", "rate = 1.5",
                             "host = []", "loud = true", "serve.count = 1", "count = 0x10"}) {
      CHECK_MESSAGE(wrong_in(good) == "", good);
    }
  }

  TEST_CASE("a variable that looks like an option and is none is named") {
    const Variable name("BELAY_NAME", "x");
    const Variable config("BELAY_CONFIG", "");
    const Variable wrong("BELAY_NAEM", "a secret");
    const auto unknown = Run({}).table.unknown_variables();
    CHECK(std::count(unknown.begin(), unknown.end(), "BELAY_NAEM") == 1);
    CHECK(std::count(unknown.begin(), unknown.end(), "BELAY_NAME") == 0);
    CHECK(std::count(unknown.begin(), unknown.end(), "BELAY_CONFIG") == 0);
  }

  TEST_CASE("a file that cannot be read is named") {
    CHECK(Run({"--config", "/nowhere/c.toml"}).wrong ==
          "cannot read /nowhere/c.toml: No such file or directory");
    CHECK(Run({"--config", "/"}).wrong == "cannot read /: Is a directory");
  }
}

}  // namespace belay::tool
