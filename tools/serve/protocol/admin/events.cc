#include "serve/protocol/admin/events.h"

#include <utility>

namespace belay::protocol::admin {

void Events::forget_gone() {
  std::erase_if(clients_, [](const Client& client) {
    const auto stream = client.stream.lock();
    return !stream || !stream->is_open();
  });
}

std::shared_ptr<http::Stream> Events::open(bool is_admin, bool& is_first) {
  const base::Lock lock(mutex_);
  is_first = false;
  forget_gone();
  if (closed_ || clients_.size() == kStreamsMax) return nullptr;
  auto stream = std::make_shared<http::Stream>(kWaitingMax);
  clients_.push_back({stream, is_admin, {}, {}});
  is_first = !std::exchange(is_sampling_, true);
  return stream;
}

bool Events::goes_on() {
  const base::Lock lock(mutex_);
  forget_gone();
  is_sampling_ = !clients_.empty();
  return is_sampling_;
}

void Events::tell(const Texts& texts, Clock::time_point now) {
  const base::Lock lock(mutex_);
  for (auto& client : clients_) {
    const auto stream = client.stream.lock();
    if (!stream || client.state == texts.state) continue;
    const auto& text = client.is_admin ? texts.for_admin : texts.for_others;
    stream->write("event: overview\ndata: " + text + "\n\n");
    client.state = texts.state;
    client.told_at = now;
  }
}

void Events::keep_alive(Clock::time_point now) {
  const base::Lock lock(mutex_);
  for (auto& client : clients_) {
    const auto stream = client.stream.lock();
    if (client.told_at == Clock::time_point()) client.told_at = now;  // it has just been opened
    if (!stream || now - client.told_at < kKeepAlive) continue;
    stream->write(": keep-alive\n\n");
    client.told_at = now;
  }
}

void Events::end_clients() {
  for (const auto& client : clients_) {
    if (const auto stream = client.stream.lock()) stream->end();
  }
  clients_.clear();
}

void Events::end_all() {
  const base::Lock lock(mutex_);
  end_clients();
}

void Events::close() {
  const base::Lock lock(mutex_);
  closed_ = true;
  end_clients();
}

}  // namespace belay::protocol::admin
