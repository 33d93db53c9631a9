#include <fmt/format.h>

#include <utility>

#include "source/source.h"

namespace belay::tool {
namespace {

class FileSource final : public Source {
 public:
  FileSource(std::string path, Reader reader)
      : path_(std::move(path)), reader_(std::move(reader)) {}

  Result<Page> list(const Filter& filter) override { return reader_.list(filter); }
  Result<WholePage> list_stuck(const StuckChoice& choice) override {
    return stuck_page(reader_, choice);
  }
  Result<WholeTransaction> read(const std::string& gid) override { return reader_.read(gid); }
  Result<ShownTransaction> read_shown(const std::string& gid) override {
    auto whole = reader_.read(gid);
    if (!whole) return whole.error();
    return ShownTransaction{std::move(*whole)};
  }
  Result<WholeTransaction> read_with_payloads(const std::string& gid) override {
    return reader_.read(gid);
  }
  bool hides_secrets() const override { return false; }
  Result<std::vector<Topic>> topics() override { return reader_.topics(); }
  Result<std::vector<Hold>> holds() override { return reader_.holds(); }
  Result<EngineState> engine_state() override { return reader_.engine_state(); }
  ExitCode fail(Context& context, const Error& error) const override {
    return tool::fail(context, error);
  }
  const std::string& name() const override { return path_; }

 private:
  const std::string path_;
  Reader reader_;
};

}  // namespace

std::unique_ptr<Source> file_source(Context& context, ExitCode& refused) {
  auto reader = open_reader(context, refused);
  if (!reader) return nullptr;
  return std::make_unique<FileSource>(context.db, std::move(*reader));
}

}  // namespace belay::tool
