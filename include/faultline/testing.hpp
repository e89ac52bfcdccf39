// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The lightest door: what a classifier team's unit test needs. Add testing/catch2.hpp for matchers.

#include <faultline/classify/make_classifier.hpp>
#include <faultline/concepts/failure_criterion.hpp>
#include <faultline/sampling/analytic_generator.hpp>
#include <faultline/statistics/rate_plan.hpp>
#include <faultline/testing/gate.hpp>
#include <faultline/testing/gate_suite.hpp>
#include <faultline/testing/statement_results.hpp>
