// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The compiled form of classify/.
#include <faultline/classify/detail/check_classifier_impl.hpp>
#include <faultline/classify/detail/guarded_call_impl.hpp>
#include <faultline/classify/detail/input_spec_text_impl.hpp>
#include <faultline/classify/detail/mapped_classes_impl.hpp>
#include <faultline/classify/detail/network_classifier_impl.hpp>
#include <faultline/classify/detail/prepare_images_impl.hpp>
#include <faultline/classify/detail/score_request_impl.hpp>
#include <faultline/classify/detail/validate_scores_impl.hpp>
