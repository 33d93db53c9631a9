// lib/names with what it needs of the engine: its log, HTTP on its loop, and a way back to it. It
// begins with the first look-up, so that an engine without names has nothing of it on its loop.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/log.h"
#include "belay/options.h"
#include "belay/resolver.h"
#include "belay/result.h"
#include "hook/directory.h"
#include "names/names.h"

struct uv_loop_s;

namespace belay::api {

class NameService final : public hook::Directory {
 public:
  using Post = std::function<void(std::function<void()>)>;

  // Errors: those of Names::make; resources.
  static Result<std::unique_ptr<NameService>> make(const Options& options);
  ~NameService() override;

  // Before the first look-up. `post` runs a function on the loop.
  void start(uv_loop_s* loop, Post post);
  Result<> check(std::string_view target) const override { return names_->check(target); }
  names::LookUp look_up(const names::Name& name, names::Found found) override;
  void forget(names::Ticket ticket) override;
  std::vector<NameFigures> figures() const;  // ordered by name
  // `closed` runs when nothing is left on the loop.
  void close(std::function<void()> closed);

 private:
  class Asker;
  explicit NameService(const Options& options);
  bool begin();

  const base::Log log_;
  const HookOptions hooks_;
  std::unique_ptr<Asker> asker_;
  std::unique_ptr<names::Names> names_;
  uv_loop_s* loop_ = nullptr;
  Post post_;
  bool has_begun_ = false;
};

}  // namespace belay::api
