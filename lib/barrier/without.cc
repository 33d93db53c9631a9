// Replaces a database whose client library was missing at build time.
#include "barrier/local.h"
#include "belay/features.h"

namespace belay::barrier {
namespace {

class Without final : public Local {
 public:
  explicit Without(std::string_view library) : library_(library) {}

  bool in_transaction() const override { return false; }
  Result<> begin() override { return error(); }
  Result<bool> insert(const Row&) override { return error(); }
  Result<std::string> reason(const Row&) override { return error(); }
  Result<> commit(const Row&) override { return error(); }
  void rollback() override {}
  Result<bool> has_table() override { return error(); }
  Result<> create_table() override { return error(); }

 private:
  Error error() const {
    return {ErrorCode::unsupported, "belay was built without " + std::string(library_)};
  }

  std::string_view library_;
};

[[maybe_unused]] std::unique_ptr<Local> without(std::string_view library) {
  return std::make_unique<Without>(library);
}

}  // namespace

#if !BELAY_HAS_POSTGRESQL
std::unique_ptr<Local> local(pg_conn*) { return without("libpq"); }
#endif

#if !BELAY_HAS_MARIADB
std::unique_ptr<Local> local(st_mysql*) { return without("libmariadb"); }
#endif

}  // namespace belay::barrier
