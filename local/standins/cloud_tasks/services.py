"""The methods of the two services that the emulator has."""

from collections.abc import Mapping

from google.cloud import scheduler_v1, tasks_v2

from local.standins.cloud_tasks.rpc import Method
from local.standins.cloud_tasks.scheduler_service import CloudScheduler
from local.standins.cloud_tasks.tasks_service import CloudTasks


def services(tasks: CloudTasks, scheduler: CloudScheduler) -> Mapping[str, Mapping[str, Method]]:
    """Return the methods of each service by the names that clients use."""
    return {
        "google.cloud.tasks.v2.CloudTasks": _queue_methods(tasks) | _task_methods(tasks),
        "google.cloud.scheduler.v1.CloudScheduler": _job_methods(scheduler),
    }


def _queue_methods(tasks: CloudTasks) -> dict[str, Method]:
    v2 = tasks_v2
    return {
        "CreateQueue": Method(request=v2.CreateQueueRequest, reply=v2.Queue, answer=tasks.create_queue),
        "GetQueue": Method(request=v2.GetQueueRequest, reply=v2.Queue, answer=tasks.get_queue),
        "ListQueues": Method(request=v2.ListQueuesRequest, reply=v2.ListQueuesResponse, answer=tasks.list_queues),
        "UpdateQueue": Method(request=v2.UpdateQueueRequest, reply=v2.Queue, answer=tasks.update_queue),
        "DeleteQueue": Method(request=v2.DeleteQueueRequest, reply=None, answer=tasks.delete_queue),
        "PurgeQueue": Method(request=v2.PurgeQueueRequest, reply=v2.Queue, answer=tasks.purge_queue),
        "PauseQueue": Method(request=v2.PauseQueueRequest, reply=v2.Queue, answer=tasks.pause_queue),
        "ResumeQueue": Method(request=v2.ResumeQueueRequest, reply=v2.Queue, answer=tasks.resume_queue),
    }


def _task_methods(tasks: CloudTasks) -> dict[str, Method]:
    v2 = tasks_v2
    return {
        "CreateTask": Method(request=v2.CreateTaskRequest, reply=v2.Task, answer=tasks.create_task),
        "GetTask": Method(request=v2.GetTaskRequest, reply=v2.Task, answer=tasks.get_task),
        "ListTasks": Method(request=v2.ListTasksRequest, reply=v2.ListTasksResponse, answer=tasks.list_tasks),
        "DeleteTask": Method(request=v2.DeleteTaskRequest, reply=None, answer=tasks.delete_task),
        "RunTask": Method(request=v2.RunTaskRequest, reply=v2.Task, answer=tasks.run_task),
    }


def _job_methods(scheduler: CloudScheduler) -> dict[str, Method]:
    v1 = scheduler_v1
    half = scheduler.leave_update_failed
    return {
        "CreateJob": Method(request=v1.CreateJobRequest, reply=v1.Job, answer=scheduler.create_job),
        "GetJob": Method(request=v1.GetJobRequest, reply=v1.Job, answer=scheduler.get_job),
        "ListJobs": Method(request=v1.ListJobsRequest, reply=v1.ListJobsResponse, answer=scheduler.list_jobs),
        "UpdateJob": Method(request=v1.UpdateJobRequest, reply=v1.Job, answer=scheduler.update_job, half=half),
        "DeleteJob": Method(request=v1.DeleteJobRequest, reply=None, answer=scheduler.delete_job),
        "PauseJob": Method(request=v1.PauseJobRequest, reply=v1.Job, answer=scheduler.pause_job),
        "ResumeJob": Method(request=v1.ResumeJobRequest, reply=v1.Job, answer=scheduler.resume_job),
        "RunJob": Method(request=v1.RunJobRequest, reply=v1.Job, answer=scheduler.run_job),
    }
