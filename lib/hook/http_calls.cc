#include "hook/http_calls.h"

#include <uv.h>

#include <string>
#include <string_view>
#include <utility>

namespace belay::hook {
namespace {

constexpr std::size_t kSpareTransfersMax = 1'024;
constexpr std::string_view kNoMemory = "libcurl has no memory for this call";

}  // namespace

Result<std::unique_ptr<HttpCalls>> HttpCalls::make(const HookOptions& options,
                                                   const Proxies& proxies) {
  auto multi = Multi::make();
  if (!multi) return multi.error();
  return std::unique_ptr<HttpCalls>(new HttpCalls(options, proxies, std::move(*multi)));
}

Result<> HttpCalls::start(uv_loop_s* loop, Ended ended) {
  loop_ = loop;
  ended_ = std::move(ended);
  return multi_->start(loop, [this](CURL* easy, CURLcode result) { on_ended(easy, result); });
}

Error HttpCalls::no_memory() {
  ++shortages_;
  return {ErrorCode::resources, std::string(kNoMemory)};
}

Result<> HttpCalls::begin(ports::CallId id, const Call& call, const Target& target,
                          HostEntry& entry, std::uint64_t span) {
  auto transfer = take_spare();
  if (!transfer) return no_memory();
  if (const auto made = transfer->request.make(call, target, span); !made) {
    spare_.push_back(std::move(transfer));
    return made.error();
  }
  transfer->begin(uv_now(loop_), call.timeout);
  if (!multi_->add(transfer->easy())) {
    spare_.push_back(std::move(transfer));
    return no_memory();
  }
  transfer->placed = {id, entry.lane, entry.host.begin(uv_now(loop_))};
  transfer->index = in_flight_.size();
  in_flight_.push_back(std::move(transfer));
  return {};
}

std::unique_ptr<Transfer> HttpCalls::take_spare() {
  if (spare_.empty()) return Transfer::make(options_, proxies_, *multi_, kept_);
  auto transfer = std::move(spare_.back());
  spare_.pop_back();
  return transfer;
}

std::unique_ptr<Transfer> HttpCalls::take_off(Transfer& transfer) {
  const auto index = transfer.index;
  auto taken = std::move(in_flight_[index]);
  if (index + 1 != in_flight_.size()) {
    in_flight_[index] = std::move(in_flight_.back());
    in_flight_[index]->index = index;
  }
  in_flight_.pop_back();
  return taken;
}

void HttpCalls::on_ended(CURL* easy, CURLcode result) {
  auto& transfer = Transfer::of(easy);
  const auto end = transfer.end(result, uv_now(loop_));
  if (end) return finish(transfer, *end);
  if (multi_->add(easy)) return;
  finish(transfer, {Host::End::not_made, Outcome::unknown(no_memory().detail)});
}

void HttpCalls::finish(Transfer& transfer, const CallEnd& end) {
  auto done = take_off(transfer);
  const auto placed = done->placed;
  if (spare_.size() < kSpareTransfersMax) {
    done->rest();
    spare_.push_back(std::move(done));
  }
  ended_(placed, end);
}

void HttpCalls::close(std::function<void()> closed) {
  for (const auto& transfer : in_flight_) multi_->remove(transfer->easy());
  in_flight_.clear();
  spare_.clear();
  multi_->close(std::move(closed));
}

}  // namespace belay::hook
