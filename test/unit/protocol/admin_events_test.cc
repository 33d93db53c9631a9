// Goal: streams of events are bounded, are told only what changed, and end; without one nothing is
// sampled.
// Method: the table of streams alone with times that the test chooses; then a service, whose
// streams are read as a server reads them.
#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "serve/http/stream.h"
#include "serve/protocol/admin/events.h"
#include "unit/protocol/api_site.h"

namespace belay::test {
namespace {

using namespace std::chrono_literals;
using http::Stream;
using protocol::admin::Events;

constexpr Events::Clock::time_point kStart{1h};

std::string taken(Stream& stream) {
  std::array<char, 1'024> buffer{};
  std::string all;
  for (;;) {
    const auto part = stream.take(buffer.data(), buffer.size());
    if (part.next != Stream::Next::bytes) return all;
    all.append(buffer.data(), part.size);
  }
}

Stream::Next next_of(Stream& stream) {
  char byte = 0;
  return stream.take(&byte, 1).next;
}

Events::Texts texts(const std::string& state) { return {state, state + "+", state + "-"}; }

}  // namespace

TEST_SUITE("protocol/admin/events") {
  TEST_CASE("a stream is written by one side, taken by the other, and bounded") {
    Stream stream(10);
    int pauses = 0;
    int resumes = 0;
    stream.attach({[&] { ++pauses; }, [&] { ++resumes; }});
    CHECK(next_of(stream) == Stream::Next::pause);
    CHECK(stream.write("12345"));
    CHECK(stream.write("67890"));
    CHECK(pauses == 1);
    CHECK(resumes == 1);
    CHECK(taken(stream) == "1234567890");
    CHECK(pauses == 2);
    CHECK_FALSE(stream.write("12345678901"));  // more than may wait
    CHECK(resumes == 2);
    CHECK(next_of(stream) == Stream::Next::broken);
    CHECK_FALSE(stream.write("1"));

    Stream ends(10);
    CHECK(ends.write("1"));
    ends.end();
    CHECK_FALSE(ends.write("2"));
    CHECK(taken(ends) == "1");
    CHECK(next_of(ends) == Stream::Next::end);

    Stream gone(10);
    gone.attach({[] {}, [] { FAIL("the connection is gone"); }});
    CHECK(next_of(gone) == Stream::Next::pause);
    gone.detach();
    CHECK_FALSE(gone.write("1"));
    CHECK_FALSE(gone.is_open());
  }

  TEST_CASE("an event is told once, by the role, and a quiet stream is kept alive") {
    Events events;
    bool is_first = false;
    const auto admin = events.open(true, is_first);
    CHECK(is_first);
    const auto other = events.open(false, is_first);
    CHECK_FALSE(is_first);
    events.tell(texts("a"), kStart);
    events.tell(texts("a"), kStart + 1s);
    CHECK(taken(*admin) == "event: overview\ndata: a+\n\n");
    CHECK(taken(*other) == "event: overview\ndata: a-\n\n");
    const auto late = events.open(true, is_first);
    events.tell(texts("a"), kStart + 2s);
    CHECK(taken(*late) == "event: overview\ndata: a+\n\n");
    CHECK(taken(*admin).empty());
    events.keep_alive(kStart + 14s);
    CHECK(taken(*admin).empty());
    events.keep_alive(kStart + 15s);
    CHECK(taken(*admin) == ": keep-alive\n\n");
    CHECK(taken(*late).empty());
    events.tell(texts("b"), kStart + 16s);
    CHECK(taken(*admin) == "event: overview\ndata: b+\n\n");
  }

  TEST_CASE("there are so many streams and no more, and those that are gone do not count") {
    Events events;
    bool is_first = false;
    std::vector<std::shared_ptr<Stream>> streams;
    for (std::size_t i = 0; i < Events::kStreamsMax; ++i)
      streams.push_back(events.open(false, is_first));
    CHECK(events.open(false, is_first) == nullptr);
    CHECK(events.goes_on());
    streams[0]->detach();
    streams[1].reset();
    CHECK(events.open(false, is_first) != nullptr);
    streams.clear();
    CHECK_FALSE(events.goes_on());
    CHECK(events.open(false, is_first) != nullptr);
    CHECK(is_first);
    const auto slow = events.open(false, is_first);
    const std::string large(Events::kWaitingMax / 2, 'x');
    for (const auto* state : {"1", "2", "3"}) events.tell({state, large, large}, kStart);
    CHECK_FALSE(slow->is_open());
    const auto last = events.open(false, is_first);
    events.close();
    CHECK(next_of(*last) == Stream::Next::end);
    CHECK(events.open(false, is_first) == nullptr);
  }

  TEST_CASE("a service tells its overview, and its end is the end of the streams") {
    ApiSite site;
    const auto response = site.admin("GET", "events");
    CHECK(response.status == 200);
    CHECK(response.content_type == "text/event-stream");
    REQUIRE(response.stream);
    std::string told;
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (told.find("\n\n") == told.npos && std::chrono::steady_clock::now() < deadline)
      told += taken(*response.stream);
    REQUIRE(told.starts_with("event: overview\ndata: "));
    const auto overview = Json::parse(told.substr(22), nullptr, false);
    CHECK(overview.at("version") == "v1.2.3");
    CHECK(overview.at("counters").contains("live"));
    site.service().end_streams();
    CHECK(next_of(*response.stream) == Stream::Next::end);
    const auto another = site.admin("GET", "events");
    REQUIRE(another.stream);
    site.service().close_streams();
    CHECK(next_of(*another.stream) == Stream::Next::end);
    CHECK(site.admin("GET", "events").status == 503);
  }
}

}  // namespace belay::test
