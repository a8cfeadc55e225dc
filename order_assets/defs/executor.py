"""Runs the steps of a run in its process, one after the other, and lets a run that waits for a pool be ended.

Dagster's own executor of this kind never looks for the signal to end while it waits for a place in a pool: a run that
was terminated then went on waiting, at full load of a core, until the run before it was through.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import dagster as dg
from dagster._core.definitions.executor_definition import IN_PROC_CONFIG
from dagster._core.execution.api import ExecuteRunWithPlanIterable
from dagster._core.execution.context_creation_job import PlanExecutionContextManager
from dagster._core.execution.plan.execute_plan import inner_plan_execution_iterator
from dagster._core.execution.plan.instance_concurrency_context import InstanceConcurrencyContext
from dagster._core.execution.retries import RetryMode
from dagster._core.execution.step_dependency_config import StepDependencyConfig
from dagster._core.executor.in_process import InProcessExecutor

_PAUSE = 0.2  # seconds between two looks whether there is a place


class _Places(InstanceConcurrencyContext):
    """The places in pools that a run holds and waits for."""

    def claim(self, concurrency_key: str, step_key: str, step_priority: int = 0) -> bool:
        with dg.raise_execution_interrupts():
            if super().claim(concurrency_key, step_key, step_priority):
                return True
            time.sleep(_PAUSE)
            return False


class _Executor(InProcessExecutor):
    def execute(self, plan_context: Any, execution_plan: Any) -> Iterator[dg.DagsterEvent]:
        """Run the plan as Dagster does, with pools that listen."""
        yield from ExecuteRunWithPlanIterable(
            execution_plan=execution_plan,
            iterator=_steps,
            execution_context_manager=PlanExecutionContextManager(
                job=plan_context.job,
                retry_mode=plan_context.retry_mode,
                execution_plan=execution_plan,
                run_config=plan_context.run_config,
                dagster_run=plan_context.dagster_run,
                instance=plan_context.instance,
                raise_on_error=plan_context.raise_on_error,
                output_capture=plan_context.output_capture,
                step_dependency_config=self.step_dependency_config,
            ),
        )


def _steps(job_context: Any, execution_plan: Any) -> Iterator[dg.DagsterEvent]:
    with _Places(job_context.instance, job_context.dagster_run) as places:
        yield from inner_plan_execution_iterator(job_context, execution_plan, places)


@dg.executor(name="in_process", config_schema=IN_PROC_CONFIG)
def one_process_executor(context: dg.InitExecutorContext) -> InProcessExecutor:
    """All steps in the process of the run; takes the configuration of Dagster's `in_process_executor`."""
    config: dict[str, Any] = dict(context.executor_config)
    return _Executor(
        retries=RetryMode.from_config(config["retries"]) or RetryMode.ENABLED,
        step_dependency_config=StepDependencyConfig.from_config(config.get("step_dependency_config")),
    )


# One object for all shops: definitions with two executors cannot be put together. Few steps, each busy inside: in one
# process they start at once. A step that failed for one day must not hold back the days that it finished, so a step
# starts when its inputs are there.
EXECUTOR = one_process_executor.configured({"step_dependency_config": {"require_upstream_step_success": False}})
