// A resolver of the embedding program: its answers come when and from where it likes.
#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "unit/names/names_site.h"

namespace belay::test {
namespace {

constexpr const char* kOwn = "http+mine://stock/take";

names::Resolvers mine(decltype(Resolver::ask) ask, Millis refresh = Millis(100)) {
  names::Resolvers resolvers;
  resolvers["mine"] = {.ask = std::move(ask), .refresh = refresh};
  return resolvers;
}

std::vector<Endpoint> one(std::uint16_t port) { return {{.host = "h", .port = port}}; }

std::string refusal(const std::string& word, Resolver resolver) {
  const auto made = names::Names::make({{word, std::move(resolver)}}, {}, base::Log::none());
  return made ? "" : made.error().detail;
}

}  // namespace

TEST_SUITE("names/own") {
  TEST_CASE("an answer within the call or from another thread is taken, and asked for again") {
    std::atomic<int> asked = 0;
    std::vector<std::thread> threads;
    {
      NamesSite site(mine([&](const std::string& name, Resolved done) {
        CHECK(name == "stock");
        const auto port = static_cast<std::uint16_t>(++asked);
        if (port == 1) return done(one(1));
        threads.emplace_back([done, port] {
          done(one(port));
          done(one(9));  // ignored
        });
      }));
      CHECK(site.look_up(kOwn) == "waits");
      REQUIRE(site.gets(kOwn, "h:1"));
      REQUIRE(site.gets(kOwn, "h:2"));
      REQUIRE(site.gets(kOwn, "h:3"));
      CHECK_FALSE(site.is_stale());
    }
    for (auto& thread : threads) thread.join();
  }

  TEST_CASE("an error, an exception and an answer after the end do no harm") {
    std::atomic<int> asked = 0;
    Resolved late;
    {
      NamesSite site(mine([&](const std::string&, Resolved done) {
        switch (++asked) {
          case 1: return done(one(1));
          case 2: return done(Error{ErrorCode::storage, "the book is lost"});
          case 3: throw std::runtime_error("thrown");
          default: late = std::move(done);
        }
      }));
      REQUIRE(site.gets(kOwn, "h:1"));
      REQUIRE(site.run_until([&] { return asked == 2 && site.is_stale(); }));
      CHECK(site.figures().last_error == "the book is lost");
      CHECK(site.look_up(kOwn) == "h:1");
      REQUIRE(site.run_until([&] { return asked == 4; }));
      CHECK(site.figures().last_error == "the resolver threw an exception");
    }
    late(one(2));
  }

  TEST_CASE("a target's source must be known, and a resolver must be usable") {
    NamesSite site(mine([](const std::string&, const Resolved& done) { done(one(1)); }));
    CHECK(site.names().check(kOwn).has_value());
    CHECK(site.names().check("etcd://h:1/k/p.S/M").has_value());
    CHECK(site.names().check("http+ours://stock/").error().detail.find("'ours'") !=
          std::string::npos);
    CHECK_FALSE(site.names().check("mine://stock/no-method").has_value());

    const Resolver good{.ask = [](const std::string&, const Resolved&) {}};
    CHECK(refusal("a-b+c.1", good).empty());
    for (const auto* word : {"", "1a", "Mine", "a b", "a/b", "a:b", "etcd", "discov", "consul",
                             "dns", "dns+srv", "http", "https", "grpc", "grpcs", "http+x"})
      CHECK_MESSAGE(refusal(word, good).find("a source of names is called") == 0, word);
    CHECK(refusal("mine", {}).find("no function") != std::string::npos);
    for (const Millis refresh : {Millis(99), Millis(3'600'001)})
      CHECK(refusal("mine", {.ask = good.ask, .refresh = refresh}).find("refresh") !=
            std::string::npos);
  }

  TEST_CASE("an alias must be a registry with a place for the name, and must have its word alone") {
    const auto with = [](const std::string& word, const std::string& registry,
                         names::Resolvers resolvers = {}) {
      const auto made =
          names::Names::make(std::move(resolvers), {{word, registry}}, base::Log::none());
      return made ? "" : made.error().detail;
    };
    CHECK(with("discovery", "etcd://h:1/%2Fmicroservices%2F{}").empty());
    CHECK(with("mine", "consul://h:1/{}", mine({})).find("no function") != std::string::npos);
    const auto twice = with("mine", "consul://h:1/{}", mine([](const auto&, const auto&) {}));
    CHECK(twice.find("too") != std::string::npos);
    CHECK(with("etcd", "etcd://h:1/{}").find("is called 'etcd'") != std::string::npos);
    CHECK(with("discovery", "etcd://h:1/k").find("has no {}") != std::string::npos);
    CHECK(with("discovery", "other:///{}").find("none of") != std::string::npos);
    CHECK(with("discovery", "etcd://u:word@h/{}").find("word") == std::string::npos);
  }
}

}  // namespace belay::test
