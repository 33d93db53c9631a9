// Which proxy a URL is called through, as the option and the environment say it.
#include "hook/proxy.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <initializer_list>
#include <string>
#include <utility>

namespace belay::test {
namespace {

// The environment with these variables and no others that name a proxy.
class ProxyEnvironment {
 public:
  using Variable = std::pair<const char*, const char*>;
  explicit ProxyEnvironment(std::initializer_list<Variable> variables) {
    clear();
    for (const auto& [name, value] : variables) setenv(name, value, 1);
  }
  ProxyEnvironment(const ProxyEnvironment&) = delete;
  ProxyEnvironment& operator=(const ProxyEnvironment&) = delete;
  ~ProxyEnvironment() { clear(); }

 private:
  static void clear() {
    for (const char* name : {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
                             "no_proxy", "NO_PROXY"})
      unsetenv(name);
  }
};

std::string proxy_of(const hook::Proxies& proxies, std::string_view url) {
  return proxies.of(*hook::parse_url(url));
}

}  // namespace

TEST_SUITE("hook/proxy") {
  TEST_CASE("the environment names a proxy for each scheme, or for all") {
    {
      const ProxyEnvironment env({{"http_proxy", "a:1"}, {"HTTPS_PROXY", "b:2"}});
      const auto proxies = hook::Proxies::make("");
      CHECK(proxy_of(proxies, "HTTP://x/") == "a:1");
      CHECK(proxy_of(proxies, "https://x/") == "b:2");
      CHECK(proxy_of(proxies, "jsonrpc+https://x/") == "b:2");
    }
    {
      const ProxyEnvironment env({{"http_proxy", ""}, {"ALL_PROXY", "socks5://c"}});
      const auto proxies = hook::Proxies::make("");
      CHECK(proxy_of(proxies, "http://x/") == "socks5://c");
      CHECK(proxy_of(proxies, "https://x/") == "socks5://c");
    }
    const ProxyEnvironment env({});
    CHECK_FALSE(hook::Proxies::make("").any());
    CHECK(proxy_of(hook::Proxies::make("d:4"), "https://x/") == "d:4");
  }

  TEST_CASE("no_proxy names hosts, domains, addresses and networks") {
    const ProxyEnvironment env(
        {{"NO_PROXY", "one.example, .two.example 10.0.0.0/8,192.0.2.7 [x] 2001:db8::/32,*,a:b"}});
    const auto proxies = hook::Proxies::make("p:1");
    for (const auto* url :
         {"http://one.example/", "http://a.One.Example.:8/", "http://two.example/",
          "http://a.two.example/", "http://10.255.0.1/", "http://0x0a000001/", "http://192.0.2.7/",
          "http://[2001:db8:ffff::1]/"})
      CHECK_MESSAGE(proxy_of(proxies, url).empty(), url);
    for (const auto* url :
         {"http://none.example/", "http://xone.example/", "http://example/", "http://11.0.0.1/",
          "http://192.0.2.8/", "http://[2001:db9::1]/", "http://10.0.0.1.example/"})
      CHECK_MESSAGE(proxy_of(proxies, url) == "p:1", url);
  }

  TEST_CASE("no_proxy with a star alone excepts every host") {
    const ProxyEnvironment env({{"no_proxy", "*"}});
    CHECK(proxy_of(hook::Proxies::make("p:1"), "http://x/").empty());
  }

  TEST_CASE("the log has what the environment says, without the password") {
    {
      const ProxyEnvironment env(
          {{"http_proxy", "http://me:secret@p:3128/x"}, {"no_proxy", "localhost"}});
      CHECK(hook::Proxies::make("").from_environment() ==
            "http:// through http://***@p:3128/x, https:// through no proxy, except localhost");
      CHECK(hook::Proxies::make("http://q").from_environment().empty());
    }
    const ProxyEnvironment env({{"all_proxy", "me:p@ss@p:3128"}});
    CHECK(hook::Proxies::make("").from_environment() ==
          "http:// through ***@p:3128, https:// through ***@p:3128");
  }
}

}  // namespace belay::test
