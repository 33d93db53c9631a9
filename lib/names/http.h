// The port through which registries are asked over HTTP; lib/ask has it with libcurl. All of it is
// on the loop's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace belay::names {

struct HttpQuestion {
  std::string url;
  std::string body{};  // a question with a body is a POST of JSON, one without it a GET
  std::vector<std::pair<std::string, std::string>> headers{};
  std::uint64_t timeout_ms = 0;  // for the whole exchange; 0: it goes on until somebody ends it
  std::size_t bytes_max = 0;     // of the answer; more of it is an error
  // Called with each part of an answer that has status 200, as it comes; then the answer's text is
  // empty, and `bytes_max` does not count. It must not ask anything nor end an exchange. Without
  // this function the text is kept.
  std::function<void(std::string_view part)> on_part{};
};

struct HttpAnswer {
  std::string error;  // empty: a whole answer came
  long status = 0;
  std::string text;
  std::string index;  // the header X-Consul-Index
};

// The question is given up when this object is destroyed, which `done` may do.
class HttpExchange {
 public:
  virtual ~HttpExchange() = default;
};

class Http {
 public:
  virtual ~Http() = default;
  // `done` is called once and last, never within this call. No redirect is followed, no proxy
  // used. Null: there is no memory for it.
  virtual std::unique_ptr<HttpExchange> ask(HttpQuestion question,
                                            std::function<void(HttpAnswer)> done) = 0;
};

}  // namespace belay::names
