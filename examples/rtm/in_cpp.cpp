// The same C API from C++: owners that release, so that no path forgets to.
//
// Turnpike's face is C; a C++ client wraps what it uses in a few lines. Everything here is a value that releases in its
// destructor what the table counted for it.
#define MPR50 1 /* the version of the router that routprot.h describes */
#include <arpa/inet.h>
#include <routprot.h>
#include <rtmv2.h>
#include <windows.h>

#include <cstring>
#include <iostream>
#include <stdexcept>
#include <string>
#include <utility>

namespace {

void check(const char* call, DWORD status) {
  if (status != NO_ERROR) throw std::runtime_error(std::string(call) + ": error " + std::to_string(status));
}

RTM_NET_ADDRESS prefix(const char* text, int length) {
  RTM_NET_ADDRESS address{};
  RTM_IPV4_MAKE_NET_ADDRESS(&address, inet_addr(text), static_cast<USHORT>(length));
  return address;
}

class Entity {
 public:
  explicit Entity(ULONG protocol) {
    RTM_ENTITY_INFO info{};
    info.AddressFamily = AF_INET;
    info.EntityId.EntityProtocolId = protocol;
    RTM_REGN_PROFILE profile;
    check("RtmRegisterEntity", RtmRegisterEntity(&info, nullptr, nullptr, FALSE, &profile, &handle_));
  }
  ~Entity() { RtmDeregisterEntity(handle_); }
  Entity(const Entity&) = delete;
  Entity& operator=(const Entity&) = delete;
  operator RTM_ENTITY_HANDLE() const { return handle_; }

 private:
  RTM_ENTITY_HANDLE handle_ = nullptr;
};

// A route that is in the table as long as this object lives.
class Route {
 public:
  Route(const Entity& owner, const char* text, int length, ULONG metric) : owner_(&owner) {
    RTM_NET_ADDRESS destination = prefix(text, length);
    RTM_ROUTE_INFO info{};
    info.PrefInfo.Metric = metric;
    info.BelongsToViews = RTM_VIEW_MASK_UCAST;
    RTM_ROUTE_CHANGE_FLAGS flags = 0;
    check("RtmAddRouteToDest",
          RtmAddRouteToDest(owner, &handle_, &destination, &info, INFINITE, nullptr, 0, nullptr, &flags));
  }
  Route(Route&& other) noexcept : owner_(other.owner_), handle_(std::exchange(other.handle_, nullptr)) {}
  Route& operator=(Route&&) = delete;
  ~Route() {
    RTM_ROUTE_CHANGE_FLAGS flags = 0;
    if (handle_ != nullptr) RtmDeleteRouteToDest(*owner_, handle_, &flags);
  }
  bool is_best() const {
    RTM_VIEW_SET views = 0;
    check("RtmIsBestRoute", RtmIsBestRoute(*owner_, handle_, &views));
    return views != 0;
  }

 private:
  const Entity* owner_;
  RTM_ROUTE_HANDLE handle_ = nullptr;
};

}  // namespace

int main() try {
  const Entity ospf(PROTO_IP_OSPF);
  const Entity rip(PROTO_IP_RIP);
  const Route backup(rip, "10.0.0.0", 8, 1);
  std::cout << "alone, the RIP route is best: " << std::boolalpha << backup.is_best() << '\n';
  {
    const Route preferred(ospf, "10.0.0.0", 8, 50);
    std::cout << "beside OSPF's, preferred by policy, it is: " << backup.is_best() << '\n';
  }
  std::cout << "after OSPF's went out of scope: " << backup.is_best() << '\n';
  return 0;
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
