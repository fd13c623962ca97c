#include "router_scene.h"

#include <dlfcn.h>
#include <synchapi.h>

#include <algorithm>
#include <cstring>

#include "net/text.h"

namespace turnpike::router::test {
namespace {

std::map<std::uint32_t, Script*>& scripts() {
  static std::map<std::uint32_t, Script*> all;
  return all;
}

kernel::InterfaceAddress address_on(net::InterfaceIndex link, std::string_view address, std::uint8_t length) {
  kernel::InterfaceAddress result;
  result.link = link;
  result.local = *net::parse_address(address);
  result.prefix_length = length;
  return result;
}

}  // namespace

// ---------------------------------------------------------------------------------------------------------------------
// The module's side

void Script::post(unsigned what, const MESSAGE& message, bool signal) {
  {
    const std::lock_guard lock(mutex_);
    queue_.emplace_back(what, message);
  }
  if (signal) SetEvent(event);
}

DWORD Script::note(const std::string& function, const std::string& arguments) {
  if (at_call) at_call(function);
  const std::lock_guard lock(mutex_);
  lines_.push_back(arguments.empty() ? function : function + " " + arguments);
  const auto answer = answers.find(function);
  return answer == answers.end() ? NO_ERROR : answer->second;
}

bool Script::next(ROUTING_PROTOCOL_EVENTS& what, MESSAGE& message) {
  const std::lock_guard lock(mutex_);
  messages_asked_.emplace_back(queue_.empty() ? "nothing" : std::to_string(queue_.front().first));
  if (queue_.empty()) return false;
  std::memcpy(&what, &queue_.front().first, sizeof(what));
  message = queue_.front().second;
  queue_.pop_front();
  return true;
}

std::vector<std::string> Script::take(std::vector<std::string>& lines) {
  const std::lock_guard lock(mutex_);
  return std::exchange(lines, {});
}

// ---------------------------------------------------------------------------------------------------------------------
// Values

Bytes header(std::initializer_list<std::pair<std::uint32_t, std::string_view>> blocks) {
  std::vector<dim::InfoBlock> all;
  for (const auto& [type, text] : blocks) all.push_back(dim::single(type, std::as_bytes(std::span(text))));
  return *dim::join(all);
}

std::string text_of(const Bytes& header, std::uint32_t type) {
  const auto parsed = dim::InfoHeader::parse(header);
  const auto block = parsed ? parsed->find(type) : std::nullopt;
  return block ? std::string(reinterpret_cast<const char*>(block->data.data()), block->data.size()) : "none";
}

Lines functions_of(const Lines& book) {
  Lines result;
  for (const std::string& line : book) result.push_back(line.substr(0, line.find(' ')));
  return result;
}

Lines lines_of(const Lines& book, std::string_view function) {
  Lines result;
  std::ranges::copy_if(book, std::back_inserter(result),
                       [&](const std::string& line) { return line.starts_with(function); });
  return result;
}

Result<void> BookStore::keep_global(TransportId transport, const Bytes& header) {
  if (fails) return fail(ErrorKind::kKernel, "the disk is full");
  globals[transport] = header;
  return {};
}

Result<void> BookStore::keep_interface(const std::string& name, TransportId, const Bytes& header) {
  if (fails) return fail(ErrorKind::kKernel, "the disk is full");
  interfaces[name] = header;
  return {};
}

Result<void> BookReception::set(net::InterfaceIndex device, kernel::Reception reception, bool on) {
  if (fails) return fail(ErrorKind::kKernel, "no such device");
  lines.push_back(std::to_string(device.value()) + (reception == kernel::Reception::kAll ? " all" : " all-multicast") +
                  (on ? " on" : " off"));
  return {};
}

// ---------------------------------------------------------------------------------------------------------------------
// The scene

RouterTest::RouterTest() {
  scripts() = {{kA, &a_}, {kB, &b_}};
  make_router();
}

RouterTest::~RouterTest() {
  stop();
  router_.reset();
  scripts().clear();
  EXPECT_FALSE(is_loaded(SCRIPTED_MODULE));
}

void RouterTest::make_router() {
  router_.reset();
  router_ = std::make_unique<Router>(Router::Surroundings{.kernel = kernel_,
                                                          .clock = clock_,
                                                          .wake = [this] { ++wakes_; },
                                                          .reception = &reception_,
                                                          .store = &store_,
                                                          .quarantine = quarantine_.get(),
                                                          .on_event = {}});
}

ModulePlan RouterTest::module(std::string name, std::uint32_t protocol) {
  return {std::move(name), SCRIPTED_MODULE, TransportId::kIp, protocol};
}

InterfacePlan RouterTest::interface(std::string name,
                                    std::initializer_list<std::pair<std::uint32_t, std::string_view>> blocks) {
  return {std::move(name), InterfaceType::kDedicated, true, {{TransportId::kIp, header(blocks)}}};
}

Plan RouterTest::plan_of_one() {
  Plan plan;
  plan.modules = {module("a", kA)};
  plan.transports = {{TransportId::kIp, header({{kA, "ga"}}), {}}};
  plan.interfaces = {interface("eth0", {{kA, "a0"}})};
  return plan;
}

Plan RouterTest::plan_of_two() {
  Plan plan = plan_of_one();
  plan.modules.push_back(module("b", kB));
  plan.transports[0].global_info = header({{kA, "ga"}, {kB, "gb"}});
  plan.interfaces = {interface("eth0", {{kA, "a0"}, {kB, "b0"}}), interface("eth1", {{kB, "b1"}})};
  return plan;
}

Outcome RouterTest::start(const Plan& plan) {
  Outcome outcome = router_->start(plan);
  settle();
  return outcome;
}

void RouterTest::settle() {
  for (int i = 0; i < 100 && router_->step(); ++i) {
  }
}

void RouterTest::stop() {
  a_.at_call = b_.at_call = {};
  router_->stop();
  settle();
}

net::InterfaceIndex RouterTest::add_link(const std::string& name) {
  net::InterfaceIndex index;
  kernel_.with_model([&](kernel::KernelModel& model) { index = model.add_link(name); });
  return index;
}

void RouterTest::remove_link(net::InterfaceIndex link) {
  kernel_.with_model([&](kernel::KernelModel& model) { model.remove_link(link); });
}

void RouterTest::set_up(net::InterfaceIndex link, bool up) {
  kernel_.with_model([&](kernel::KernelModel& model) { (void)model.change(1, {.index = link, .up = up, .mtu = {}}); });
}

void RouterTest::add_address(net::InterfaceIndex link, std::string_view address, std::uint8_t length) {
  kernel_.with_model([&](kernel::KernelModel& model) {
    EXPECT_EQ(model.change(1, kernel::Change::kAdd, address_on(link, address, length)).error, 0);
  });
}

void RouterTest::remove_address(net::InterfaceIndex link, std::string_view address, std::uint8_t length) {
  kernel_.with_model([&](kernel::KernelModel& model) {
    EXPECT_EQ(model.change(1, kernel::Change::kRemove, address_on(link, address, length)).error, 0);
  });
}

bool RouterTest::is_loaded(const std::string& path) {
  void* library = dlopen(path.c_str(), RTLD_NOLOAD | RTLD_LAZY);
  if (library != nullptr) dlclose(library);
  return library != nullptr;
}

}  // namespace turnpike::router::test

extern "C" turnpike::router::test::Script* router_test_script(DWORD protocol) {
  const auto& all = turnpike::router::test::scripts();
  const auto found = all.find(protocol);
  return found == all.end() ? nullptr : found->second;
}
