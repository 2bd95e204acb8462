"""The names of LightGBM's parameters (4.7): the main name of each with its other names, and the objectives with theirs.

They stand here because planning evaluates laws where the library is not installed. A test holds them to the library.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

# What trains a model. Parameters that stand alone have no other name.
ALIASES: Mapping[str, str] = {
    "alpha": "",
    "auc_mu_weights": "",
    "bagging_by_query": "",
    "bagging_fraction": "bagging sub_row subsample",
    "bagging_freq": "subsample_freq",
    "bagging_seed": "bagging_fraction_seed",
    "bin_construct_sample_cnt": "subsample_for_bin",
    "boost_from_average": "",
    "boosting": "boost boosting_type",
    "cat_l2": "",
    "cat_smooth": "",
    "categorical_feature": "cat_column cat_feature categorical_column categorical_features",
    "cegb_penalty_feature_coupled": "",
    "cegb_penalty_feature_lazy": "",
    "cegb_penalty_split": "",
    "cegb_tradeoff": "",
    "data_random_seed": "data_seed",
    "data_sample_strategy": "",
    "deterministic": "",
    "device_type": "device",
    "drop_rate": "rate_drop",
    "drop_seed": "",
    "early_stopping_min_delta": "",
    "early_stopping_round": "early_stopping early_stopping_rounds n_iter_no_change",
    "enable_bundle": "bundle is_enable_bundle",
    "extra_seed": "",
    "extra_trees": "extra_tree",
    "fair_c": "",
    "feature_contri": "fc feature_contrib feature_penalty fp",
    "feature_fraction": "colsample_bytree sub_feature",
    "feature_fraction_bynode": "colsample_bynode sub_feature_bynode",
    "feature_fraction_seed": "",
    "feature_pre_filter": "",
    "first_metric_only": "",
    "force_col_wise": "",
    "force_row_wise": "",
    "forcedbins_filename": "",
    "forcedsplits_filename": "forced_splits forced_splits_file forced_splits_filename fs",
    "gpu_device_id": "",
    "gpu_device_id_list": "",
    "gpu_platform_id": "",
    "gpu_use_dp": "",
    "histogram_pool_size": "hist_pool_size",
    "interaction_constraints": "",
    "is_enable_sparse": "enable_sparse is_sparse sparse",
    "is_unbalance": "unbalance unbalanced_sets",
    "lambda_l1": "l1_regularization reg_alpha",
    "lambda_l2": "l2_regularization lambda reg_lambda",
    "learning_rate": "eta shrinkage_rate",
    "linear_lambda": "",
    "linear_tree": "linear_trees",
    "local_listen_port": "local_port port",
    "machine_list_filename": "machine_list machine_list_file mlist",
    "machines": "nodes workers",
    "max_bin": "max_bins",
    "max_bin_by_feature": "",
    "max_cat_threshold": "",
    "max_cat_to_onehot": "",
    "max_delta_step": "max_leaf_output max_tree_output",
    "max_depth": "",
    "max_drop": "",
    "metric": "metric_types metrics",
    "min_data_in_bin": "",
    "min_data_in_leaf": "min_child_samples min_data min_data_per_leaf min_samples_leaf",
    "min_data_per_group": "",
    "min_gain_to_split": "min_split_gain",
    "min_sum_hessian_in_leaf": "min_child_weight min_hessian min_sum_hessian min_sum_hessian_per_leaf",
    "monotone_constraints": "mc monotone_constraint monotonic_cst",
    "monotone_constraints_method": "mc_method monotone_constraining_method",
    "monotone_penalty": "mc_penalty monotone_splits_penalty ms_penalty",
    "multi_error_top_k": "",
    "neg_bagging_fraction": "neg_bagging neg_sub_row neg_subsample",
    "num_class": "num_classes",
    "num_gpu": "",
    "num_grad_quant_bins": "",
    "num_iterations": "max_iter n_estimators n_iter nrounds num_boost_round num_iteration num_round num_rounds num_tree "
    "num_trees",
    "num_leaves": "max_leaf max_leaf_nodes max_leaves num_leaf",
    "num_machines": "num_machine",
    "num_threads": "n_jobs nthread nthreads num_thread",
    "objective": "app application loss objective_type",
    "objective_seed": "",
    "other_rate": "",
    "path_smooth": "",
    "poisson_max_delta_step": "",
    "pos_bagging_fraction": "pos_bagging pos_sub_row pos_subsample",
    "quant_train_renew_leaf": "",
    "reg_sqrt": "",
    "scale_pos_weight": "",
    "seed": "random_seed random_state",
    "sigmoid": "",
    "skip_drop": "",
    "stochastic_rounding": "",
    "time_out": "",
    "top_k": "topk",
    "top_rate": "",
    "tree_learner": "tree tree_learner_type tree_type",
    "tweedie_variance_power": "",
    "uniform_drop": "",
    "use_missing": "",
    "use_quantized_grad": "",
    "verbosity": "verbose",
    "xgboost_dart_mode": "",
    "zero_as_missing": "",
}

# Of the two classes alone.
WRAPPER = ("class_weight", "importance_type")

OBJECTIVES: Mapping[str, str] = {
    "binary": "",
    "cross_entropy": "xentropy",
    "fair": "",
    "gamma": "",
    "huber": "",
    "mape": "mean_absolute_percentage_error",
    "multiclass": "softmax",
    "multiclassova": "multiclass_ova ova ovr",
    "poisson": "",
    "quantile": "",
    "regression": "l2 l2_root mean_squared_error mse regression_l2 rmse root_mean_squared_error",
    "regression_l1": "l1 mae mean_absolute_error",
    "tweedie": "",
}
OF_CLASSIFIERS = ("binary", "cross_entropy", "multiclass", "multiclassova")


@cache
def main_names() -> dict[str, str]:
    """From every name of a parameter to its main one."""
    return _inverted(ALIASES) | {name: name for name in WRAPPER}


@cache
def objectives() -> dict[str, str]:
    """From every name of an objective to its main one."""
    return _inverted(OBJECTIVES)


def _inverted(table: Mapping[str, str]) -> dict[str, str]:
    return {name: main for main, others in table.items() for name in (main, *others.split())}
