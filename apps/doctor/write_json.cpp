#include "doctor/write_json.hpp"

#include <nlohmann/json.hpp>

namespace upcall_doctor {
namespace {

// Keys in the order in which they are written.
using json = nlohmann::ordered_json;

std::string_view name_of(upcall::presence state) noexcept {
    switch (state) {
        case upcall::presence::absent:
            return "absent";
        case upcall::presence::present:
            return "present";
        case upcall::presence::unknown:
            break;
    }
    return "unknown";
}

std::string_view name_of(upcall::ring_test_result::outcome state) noexcept {
    using outcome = upcall::ring_test_result::outcome;
    switch (state) {
        case outcome::passed:
            return "passed";
        case outcome::failed:
            return "failed";
        case outcome::not_run:
            break;
    }
    return "not_run";
}

std::string_view name_of(upcall::quantity::kind state) noexcept {
    using kind = upcall::quantity::kind;
    switch (state) {
        case kind::known:
            return "known";
        case kind::unlimited:
            return "unlimited";
        case kind::unreadable:
            break;
    }
    return "unreadable";
}

std::string_view name_of(upcall::limit_fact::unit unit) noexcept {
    using kind = upcall::limit_fact::unit;
    switch (unit) {
        case kind::bytes:
            return "bytes";
        case kind::millicpus:
            return "thousandths of a processor";
        case kind::port:
            return "port";
        case kind::count:
            break;
    }
    return "count";
}

std::string_view name_of(upcall::host_system::seccomp_mode mode) noexcept {
    using kind = upcall::host_system::seccomp_mode;
    switch (mode) {
        case kind::off:
            return "off";
        case kind::strict:
            return "strict";
        case kind::filter:
            return "filter";
        case kind::unknown:
            break;
    }
    return "unknown";
}

std::string_view name_of(upcall::file_system_facts::direct state) noexcept {
    using kind = upcall::file_system_facts::direct;
    switch (state) {
        case kind::supported:
            return "supported";
        case kind::unsupported:
            return "unsupported";
        case kind::unknown:
            break;
    }
    return "unknown";
}

json driver_of(const examination& found) {
    json driver;
    driver["name"] = found.choice.name;
    driver["reasons"] = found.choice.reasons;
    driver["overruled_by"] = found.overruled_by.empty() ? json(nullptr) : json(found.overruled_by);
    const std::string problem = found.overrule_problem();
    driver["overrule_problem"] = problem.empty() ? json(nullptr) : json(problem);
    return driver;
}

json system_of(const upcall::host_system& system) {
    json all;
    all["kernel"] = system.kernel;
    all["release"] = system.release;
    all["machine"] = system.machine;
    all["processors"] = system.processors;
    all["processors_usable"] = system.processors_usable;
    all["affinity"] = system.affinity;
    all["user"] = system.user;
    all["may_lock_memory"] = system.may_lock_memory;
    all["is_admin"] = system.is_admin;
    all["no_new_privileges"] = system.no_new_privileges;
    all["seccomp"] = name_of(system.seccomp);
    all["security_label"] = system.security_label;
    all["container"] = system.container.empty() ? json(nullptr) : json(system.container);
    all["container_evidence"] = system.container_evidence;
    return all;
}

json interfaces_of(const upcall::host& host) {
    json all = json::array();
    for (const upcall::availability& each : host.interfaces) {
        json one;
        one["name"] = upcall::name_of(each.what);
        one["available"] = each.available;
        one["reason"] = upcall::name_of(each.code);
        one["errno"] = each.error;
        one["why"] = each.why;
        one["advice"] = each.advice;
        all.push_back(std::move(one));
    }
    return all;
}

json capabilities_of(const std::vector<upcall::capability>& list) {
    json all = json::object();
    for (const upcall::capability& each : list)
        all[std::string(each.name)] = {{"since", each.since}, {"state", name_of(each.state)}};
    return all;
}

json ring_of(const upcall::ring_facts& ring) {
    json all;
    all["tried"] = ring.tried;
    all["usable"] = ring.is_usable();
    all["entries"] = ring.entries;
    all["entries_asked"] = upcall::ring_facts::entries_asked;
    all["flags_used"] = ring.setup_flags;
    all["setup_errno"] = ring.setup_error;
    all["query_errno"] = ring.query_error;
    all["probe_errno"] = ring.probe_error;
    all["killed_by_signal"] = ring.killed_by;
    json tests = json::array();
    for (std::size_t i = 0; i < upcall::ring_test_count; ++i)
        tests.push_back({{"name", upcall::name_of(static_cast<upcall::ring_test>(i))},
                         {"state", name_of(ring.tests[i].state)},
                         {"errno", ring.tests[i].error}});
    all["tests"] = std::move(tests);
    all["setup_flags"] = capabilities_of(ring_setup_flags(ring));
    all["features"] = capabilities_of(ring_features(ring));
    all["enter_flags"] = capabilities_of(ring_enter_flags(ring));
    all["opcodes"] = capabilities_of(ring_opcodes(ring));
    all["register_operations"] = capabilities_of(ring_register_operations(ring));
    return all;
}

json limits_of(const upcall::host& host) {
    json all = json::array();
    for (const upcall::limit_fact& each : limit_report(host)) {
        json one;
        one["key"] = each.key;
        one["source"] = each.source;
        one["state"] = name_of(each.amount.state);
        one["value"] = each.amount.is_known() ? json(each.amount.value) : json(nullptr);
        one["unit"] = name_of(each.counted_in);
        one["meaning"] = each.meaning;
        one["bites"] = each.bites();
        one["advice"] = each.advice;
        all.push_back(std::move(one));
    }
    return all;
}

std::string_view name_of(examined_engine::way by) noexcept {
    switch (by) {
        case examined_engine::way::engine:
            return "engine";
        case examined_engine::way::pool:
            return "pool";
        case examined_engine::way::sent_back:
            return "sent_back";
        case examined_engine::way::not_tried:
            break;
    }
    return "not_tried";
}

json engines_of(const std::vector<examined_engine>& engines) {
    json all = json::array();
    for (const examined_engine& each : engines) {
        json one;
        one["name"] = each.name;
        one["refused"] = each.refused.empty() ? json(nullptr) : json(each.refused);
        one["direct_read"] = name_of(each.direct);
        one["cached_read"] = name_of(each.cached);
        one["problem"] = each.problem.empty() ? json(nullptr) : json(each.problem);
        all.push_back(std::move(one));
    }
    return all;
}

json paths_of(const std::vector<examined_path>& paths) {
    json all = json::array();
    for (const examined_path& each : paths) {
        json one;
        one["path"] = each.path;
        one["error"] = each.facts ? json(nullptr) : json(each.facts.error().message());
        if (each.facts) {
            one["file_system"] = each.facts->type;
            one["direct_io"] = name_of(each.facts->direct_io);
            one["memory_alignment"] = each.facts->memory_alignment;
            one["offset_alignment"] = each.facts->offset_alignment;
            one["read_offset_alignment"] = each.facts->read_offset_alignment;
            one["preferred_size"] = each.facts->preferred_size;
        }
        all.push_back(std::move(one));
    }
    return all;
}

}  // namespace

std::string write_json(const examination& found) {
    json all;
    all["schema"] = 1;
    all["driver"] = driver_of(found);
    all["system"] = system_of(found.host.system);
    all["interfaces"] = interfaces_of(found.host);
    all["file_engines"] = engines_of(found.engines);
    all["ring"] = ring_of(found.host.ring);
    all["limits"] = limits_of(found.host);
    all["sysctls_readable"] = found.host.limits.sysctls_readable;
    all["paths"] = paths_of(found.paths);
    // Paths and labels may be any bytes; JSON may not.
    return all.dump(2, ' ', false, json::error_handler_t::replace) + '\n';
}

}  // namespace upcall_doctor
