// Everybody hears what one of them says. Try it with several `nc 127.0.0.1 7001`.
//
//     chat_server [ADDRESS]
//
// Each member has a channel of what it is to be told, and a task that tells it: who reads slowly
// misses lines, and holds up nobody else.
#include <cstdio>
#include <list>
#include <memory>
#include <string>
#include <upcall/upcall.hpp>

using namespace upcall;

namespace {

constexpr std::size_t line_bytes_max = 1'000;

using line = std::shared_ptr<const std::string>;

struct member {
    explicit member(tcp::stream link) : peer(std::move(link)) {}
    tcp::stream peer;
    channel<line> to_tell{100};
};

using members = std::list<member>;

void tell_all(members& all, std::string what) {
    const auto said = std::make_shared<const std::string>(std::move(what));
    for (member& each : all) {
        line copy = said;
        each.to_tell.try_send(copy);
    }
}

task<> tell(member& self) {
    while (auto next = co_await self.to_tell.receive()) {  // ends when the channel is closed
        const auto sent = co_await self.peer.write_all(bytes_of(**next));
        if (!sent) break;
    }
}

task<> listen(member& self, members& all) {
    std::string heard;
    while (auto chunk = co_await self.peer.receive()) {
        heard += text_of(*chunk);
        for (std::size_t end = 0; (end = heard.find('\n')) != heard.npos;) {
            tell_all(all, heard.substr(0, end + 1));
            heard.erase(0, end + 1);
        }
        if (heard.size() > line_bytes_max) break;
    }
    self.to_tell.close();
}

task<> attend(tcp::stream peer, members& all) {
    const auto self = all.emplace(all.end(), std::move(peer));
    co_await when_all(listen(*self, all), tell(*self));
    all.erase(self);
}

task<> serve(const char* where) {
    auto listener = value_or_throw(tcp::listener::bind(where), "listen on", where);
    std::printf("listening on %s\n", listener.local_address().value().to_string().c_str());
    std::fflush(stdout);
    members all;
    co_await with_scope([&](scope& connections) -> task<> {
        while (auto peer = co_await listener.accept())
            connections.spawn_now(attend(std::move(*peer), all), "member");
    });
}

}  // namespace

int main(int count, char** words) { return run(serve(count > 1 ? words[1] : "127.0.0.1:7001")); }
