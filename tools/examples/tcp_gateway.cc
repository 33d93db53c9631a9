// A TCP server and belay on one loop and one thread.
//
//   tcp_gateway STATE_FILE [PORT]
//
// The server listens on the loopback address only (port 0: any free port), and prints the address.
// Each line that it receives is a transfer, `ID FROM TO AMOUNT`. The transfer becomes a saga of two
// steps and is answered when the saga is final: `ID succeed`, `ID failed REASON` or `ID error
// REASON`. Nothing here waits: if a connection sends faster than the sagas finish, the server stops
// reading from it for a while. SIGINT or SIGTERM ends the server.
//
// The accounts are in memory, which keeps the example short. Real participants keep them in a
// database of their own, together with the table that makes their calls idempotent.
#include <belay/belay.h>
#include <uv.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kLineBytesMax = 512;
constexpr std::size_t kUnansweredMax = 64;  // per connection; above it the server stops reading
constexpr int kBacklog = 128;

// Removes and returns the next word of `text`.
std::string_view take_word(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  const auto word = text.substr(0, text.find(' '));
  text.remove_prefix(word.size());
  return word;
}

std::optional<long> to_amount(std::string_view word) {
  long amount = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), amount);
  if (error != std::errc() || end != word.data() + word.size() || amount <= 0) return std::nullopt;
  return amount;
}

// The participant. A step may be called twice, and may be undone before it was ever called. So the
// results of each branch are remembered, and an undone branch refuses a late call.
class Accounts {
 public:
  belay::Outcome move(const belay::Call& call, long sign) {
    auto payload = call.payload;
    const auto name = take_word(payload);
    const auto amount = to_amount(take_word(payload));
    const auto account = balances_.find(name);
    if (!amount) return belay::Outcome::failure("no such amount");
    if (account == balances_.end()) return belay::Outcome::failure("no such account");
    const auto [entry, is_new] = branches_.try_emplace(key_of(call), State::done);
    if (!is_new) {
      return entry->second == State::done ? belay::Outcome::success()
                                          : belay::Outcome::failure("undone already");
    }
    if (account->second + sign * *amount < 0) {
      branches_.erase(entry);
      return belay::Outcome::failure("not enough money");
    }
    account->second += sign * *amount;
    return belay::Outcome::success();
  }

  belay::Outcome undo(const belay::Call& call, long sign) {
    const auto [entry, is_new] = branches_.try_emplace(key_of(call), State::undone);
    if (!is_new && entry->second == State::done) {
      auto payload = call.payload;
      const auto account = balances_.find(take_word(payload));
      account->second -= sign * to_amount(take_word(payload)).value_or(0);
      entry->second = State::undone;
    }
    return belay::Outcome::success();
  }

 private:
  enum class State { done, undone };

  static std::string key_of(const belay::Call& call) {
    return std::string(call.gid).append("/").append(call.branch_id);
  }

  std::map<std::string, long, std::less<>> balances_{{"alice", 100}, {"bob", 100}, {"carol", 100}};
  std::map<std::string, State> branches_;
};

belay::Outcome debit(const belay::Call& call, void* accounts) {
  return static_cast<Accounts*>(accounts)->move(call, -1);
}
belay::Outcome undo_debit(const belay::Call& call, void* accounts) {
  return static_cast<Accounts*>(accounts)->undo(call, -1);
}
belay::Outcome credit(const belay::Call& call, void* accounts) {
  return static_cast<Accounts*>(accounts)->move(call, +1);
}
belay::Outcome undo_credit(const belay::Call& call, void* accounts) {
  return static_cast<Accounts*>(accounts)->undo(call, +1);
}

// One client. libuv owns it through the handle's data until the close callback; unfinished sagas
// share it, so that an answer always finds an existing object.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(belay::Engine& engine, std::set<Connection*>& open) : engine_(engine), open_(open) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  static void accept(uv_stream_t* server, belay::Engine& engine, std::set<Connection*>& open) {
    const auto self = std::make_shared<Connection>(engine, open);
    uv_tcp_init(server->loop, &self->tcp_);
    self->tcp_.data = new std::shared_ptr<Connection>(self);
    open.insert(self.get());
    if (uv_accept(server, self->stream()) == 0) {
      self->set_reading(true);
    } else {
      self->close();
    }
  }

  void close() {
    if (closing_) return;
    closing_ = true;
    open_.erase(this);
    uv_close(reinterpret_cast<uv_handle_t*>(&tcp_), [](uv_handle_t* handle) {
      delete static_cast<std::shared_ptr<Connection>*>(handle->data);
    });
  }

 private:
  struct Write {
    uv_write_t request{};
    std::string bytes;
  };

  static Connection& of(uv_stream_t* stream) {
    return **static_cast<std::shared_ptr<Connection>*>(stream->data);
  }
  uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(&tcp_); }

  void set_reading(bool reading) {
    if (closing_ || reading == reading_) return;
    reading_ = reading;
    if (!reading) {
      uv_read_stop(stream());
      return;
    }
    uv_read_start(
        stream(),
        [](uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
          auto& chunk = of(reinterpret_cast<uv_stream_t*>(handle)).chunk_;
          *buffer = uv_buf_init(chunk, sizeof chunk);
        },
        [](uv_stream_t* stream, ssize_t size, const uv_buf_t*) { of(stream).on_read(size); });
  }

  void on_read(ssize_t size) {
    if (size < 0) return close();
    unread_.append(chunk_, static_cast<std::size_t>(size));
    take_lines();
  }

  // Takes as many whole lines as may be in progress at once; the rest waits in `unread_`.
  void take_lines() {
    while (!closing_ && unanswered_ < kUnansweredMax) {
      const auto end = unread_.find('\n');
      if (std::min(end, unread_.size()) > kLineBytesMax) return close();
      if (end == std::string::npos) return set_reading(true);
      const auto line = unread_.substr(0, end);
      unread_.erase(0, end + 1);
      on_line(line);
    }
    set_reading(false);
  }

  void on_line(std::string_view line) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::string id(take_word(line));
    const auto from = take_word(line), to = take_word(line), amount = take_word(line);
    if (!to_amount(amount) || !line.empty()) return answer(id, "error expected: ID FROM TO AMOUNT");
    const auto payload = [amount](std::string_view name) {
      return std::string(name).append(" ").append(amount);
    };
    const auto saga = belay::Saga(id)
                          .step("accounts.debit", "accounts.undo_debit", payload(from))
                          .step("accounts.credit", "accounts.undo_credit", payload(to))
                          .timeout_to_fail(30s)
                          .wait_result();
    const auto done = [self = shared_from_this(), id](const belay::Result<belay::Report>& result) {
      self->on_final(id, result);
    };
    if (auto taken = engine_.submit(saga, done); taken) {
      ++unanswered_;
    } else {
      answer(id, "error " + taken.error().detail);
    }
  }

  void on_final(const std::string& id, const belay::Result<belay::Report>& result) {
    --unanswered_;
    if (!result) {
      answer(id, "error " + result.error().detail);
    } else {
      answer(id, result->succeeded() ? "succeed" : "failed " + result->reason());
    }
    if (!reading_) take_lines();
  }

  void answer(const std::string& id, const std::string& text) {
    if (closing_) return;
    auto* write = new Write{{}, id + " " + text + "\n"};
    auto buffer = uv_buf_init(write->bytes.data(), static_cast<unsigned>(write->bytes.size()));
    write->request.data = write;
    const auto written = [](uv_write_t* request, int) {
      delete static_cast<Write*>(request->data);
    };
    if (uv_write(&write->request, stream(), &buffer, 1, written) != 0) {
      delete write;
      close();
    }
  }

  belay::Engine& engine_;
  std::set<Connection*>& open_;
  uv_tcp_t tcp_{};
  std::string unread_;
  std::size_t unanswered_ = 0;
  bool reading_ = false;
  bool closing_ = false;
  char chunk_[16 * 1024];
};

class Gateway {
 public:
  Gateway(uv_loop_t* loop, belay::Engine& engine) : loop_(loop), engine_(engine) {}
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  bool start(int port) {
    sockaddr_in address{};
    uv_ip4_addr("127.0.0.1", port, &address);
    uv_tcp_init(loop_, &server_);
    uv_signal_init(loop_, &interrupt_);
    uv_signal_init(loop_, &terminate_);
    server_.data = interrupt_.data = terminate_.data = this;
    const auto on_signal = [](uv_signal_t* signal, int) { from(signal).stop(); };
    const auto on_client = [](uv_stream_t* server, int status) {
      if (status == 0) Connection::accept(server, from(server).engine_, from(server).open_);
    };
    return uv_signal_start(&interrupt_, on_signal, SIGINT) == 0 &&
           uv_signal_start(&terminate_, on_signal, SIGTERM) == 0 &&
           uv_tcp_bind(&server_, reinterpret_cast<const sockaddr*>(&address), 0) == 0 &&
           uv_listen(reinterpret_cast<uv_stream_t*>(&server_), kBacklog, on_client) == 0;
  }

  int port() const {
    sockaddr_in address{};
    int size = sizeof address;
    uv_tcp_getsockname(&server_, reinterpret_cast<sockaddr*>(&address), &size);
    return ntohs(address.sin_port);
  }

  // Ends everything of this program on the loop; unfinished sagas go on when the state file is
  // opened again.
  void stop() {
    if (stopping_) return;
    stopping_ = true;
    uv_close(reinterpret_cast<uv_handle_t*>(&server_), nullptr);
    uv_close(reinterpret_cast<uv_handle_t*>(&interrupt_), nullptr);
    uv_close(reinterpret_cast<uv_handle_t*>(&terminate_), nullptr);
    while (!open_.empty()) (*open_.begin())->close();
    const auto on_closed = [this](const belay::Result<>& result) {
      if (!result) std::fprintf(stderr, "tcp_gateway: %s\n", result.error().detail.c_str());
      closed_well_ = result.has_value();
    };
    if (auto closing = engine_.close(on_closed); !closing) on_closed(closing);
  }

  bool closed_well() const { return closed_well_; }

 private:
  template <class Handle>
  static Gateway& from(Handle* handle) {
    return *static_cast<Gateway*>(handle->data);
  }

  uv_loop_t* loop_;
  belay::Engine& engine_;
  uv_tcp_t server_{};
  uv_signal_t interrupt_{};
  uv_signal_t terminate_{};
  std::set<Connection*> open_;
  bool stopping_ = false;
  bool closed_well_ = false;
};

int complain(const belay::Error& error) {
  std::fprintf(stderr, "tcp_gateway: %s\n", error.detail.c_str());
  return 1;
}

int serve(uv_loop_t* loop, const char* path, int port) {
  belay::Options options;
  options.loop = loop;
  auto engine = belay::Engine::open(path, options);
  if (!engine) return complain(engine.error());

  Accounts accounts;
  for (const auto& [name, handler] : {std::pair{"accounts.debit", &debit},
                                      {"accounts.undo_debit", &undo_debit},
                                      {"accounts.credit", &credit},
                                      {"accounts.undo_credit", &undo_credit}}) {
    if (auto done = engine->handle(name, handler, &accounts); !done) return complain(done.error());
  }
  if (auto started = engine->start(); !started) return complain(started.error());

  Gateway gateway(loop, *engine);
  if (gateway.start(port)) {
    std::printf("listening on %d\n", gateway.port());
    std::fflush(stdout);
  } else {
    std::fprintf(stderr, "tcp_gateway: cannot listen on 127.0.0.1:%d\n", port);
    gateway.stop();
  }
  uv_run(loop, UV_RUN_DEFAULT);
  return gateway.closed_well() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    std::fprintf(stderr, "usage: tcp_gateway STATE_FILE [PORT]\n");
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);  // a client that hung up is an error of the write to it
  uv_loop_t loop;
  uv_loop_init(&loop);
  const int code = serve(&loop, argv[1], argc == 3 ? std::atoi(argv[2]) : 0);
  // No handle of this program or of belay is left on the loop.
  const bool all_closed = uv_loop_close(&loop) == 0;
  if (!all_closed) std::fprintf(stderr, "tcp_gateway: a handle was left open\n");
  return all_closed ? code : 1;
}
