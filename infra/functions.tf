# The functions: what each runs on, who calls it, and what it may touch. Another function is another entry.
#
#   caller         whose OIDC token opens it: "tasks", "scheduler", "programs" for the accounts of api_callers, or null
#                  where the deployment has to say it
#   enqueues       the queues it adds tasks to; with it goes the right to act as the caller of tasks
#   sends          whether it sends messages through FCM
#   queries        whether it queries the user data. It reaches their database through vpc_connector. Where they are in
#                  BigQuery, it exports what it finds, reads that and removes it, so that it deletes "exports/"
#   schedules      what it does to Cloud Scheduler's jobs: "edit", "remove" (a job of a completed recipe), or null
#   reads, writes  folders of the audience bucket; a written file is never overwritten
#   deletes        folders of the audience bucket whose files it removes
#
# 512Mi is the least that Cloud Run's second generation execution environment takes, and 256Mi would be too little for
# send_shard: its measured peak is 226 MiB before any Google client library is loaded. Files count as memory on Cloud
# Run, so build_audience (919 MiB at a million users, beside some 500 MiB of CSVs) gets 2Gi, and DuckDB a second core.
#
# api and console query too, and serve others meanwhile. Of their 2,048 MiB a process takes 230, DuckDB 704, what it and the
# query write to /tmp 600, and four requests 64 each, an upload in memory and on /tmp: 1,790. A process runs one
# query at a time.
#
# Concurrency of steps is 1: a shard fills its core, and a step takes seconds. No step's timeout is longer than the
# deadline of its request (tasks ten minutes, those of build_audience thirty, scheduler jobs three). A timeout closes the
# connection, not the work: functions/domain/task_limits.py ends an audience job before its request.

locals {
  functions = {
    launch = {
      caller          = "scheduler"
      cpu             = "1"
      memory          = "512Mi"
      concurrency     = 1
      timeout_seconds = 180
      max_instances   = 10
      ingress         = "ALLOW_INTERNAL_ONLY"
      enqueues        = ["steps", "alerts"]
      sends           = false
      queries         = false
      schedules       = null
      reads           = []
      writes          = []
      deletes         = []
    }
    build_audience = {
      caller          = "tasks"
      cpu             = "2"
      memory          = "2Gi"
      concurrency     = 1
      timeout_seconds = 1800
      max_instances   = 10
      ingress         = "ALLOW_INTERNAL_ONLY"
      enqueues        = ["steps", "alerts"]
      sends           = false
      queries         = true
      schedules       = null
      reads           = ["audiences/", "devices/"]
      writes          = ["audiences/", "devices/"]
      deletes         = var.user_dataset != null ? ["exports/"] : []
    }
    send_test = {
      caller          = "tasks"
      cpu             = "1"
      memory          = "512Mi"
      concurrency     = 1
      timeout_seconds = 300
      max_instances   = 10
      ingress         = "ALLOW_INTERNAL_ONLY"
      enqueues        = ["steps", "alerts"]
      sends           = true
      queries         = false
      schedules       = null
      reads           = ["audiences/", "devices/"]
      writes          = []
      deletes         = []
    }
    checkpoint = {
      caller          = "tasks"
      cpu             = "1"
      memory          = "512Mi"
      concurrency     = 1
      timeout_seconds = 60
      max_instances   = 10
      ingress         = "ALLOW_INTERNAL_ONLY"
      enqueues        = ["steps", "alerts"]
      sends           = false
      queries         = false
      schedules       = null
      reads           = []
      writes          = []
      deletes         = []
    }
    send_push = {
      caller          = "tasks"
      cpu             = "1"
      memory          = "512Mi"
      concurrency     = 1
      timeout_seconds = 300
      max_instances   = 10
      ingress         = "ALLOW_INTERNAL_ONLY"
      enqueues        = ["steps", "shards", "alerts"]
      sends           = false
      queries         = false
      schedules       = null
      reads           = []
      writes          = []
      deletes         = []
    }
    send_shard = {
      caller          = "tasks"
      cpu             = "1"
      memory          = "512Mi"
      concurrency     = 1
      timeout_seconds = 600
      max_instances   = local.shards_at_once
      ingress         = "ALLOW_INTERNAL_ONLY"
      enqueues        = ["shards", "alerts"]
      sends           = true
      queries         = false
      schedules       = null
      reads           = ["audiences/", "devices/"]
      writes          = []
      deletes         = []
    }
    finish = {
      caller          = "tasks"
      cpu             = "1"
      memory          = "512Mi"
      concurrency     = 1
      timeout_seconds = 600
      max_instances   = 10
      ingress         = "ALLOW_INTERNAL_ONLY"
      enqueues        = ["steps", "alerts"]
      sends           = false
      queries         = false
      schedules       = "remove"
      reads           = ["audiences/", "receipts/"]
      writes          = ["receipts/"]
      deletes         = ["devices/"]
    }
    reconcile = {
      caller          = "scheduler"
      cpu             = "1"
      memory          = "512Mi"
      concurrency     = 1
      timeout_seconds = 180
      max_instances   = 2
      ingress         = "ALLOW_INTERNAL_ONLY"
      enqueues        = ["steps", "alerts"]
      sends           = false
      queries         = false
      schedules       = "edit"
      reads           = []
      writes          = []
      deletes         = []
    }
    # A request waits for webhooks, five seconds for each of the channels at most, and does nothing meanwhile.
    send_alert = {
      caller          = "tasks"
      cpu             = "1"
      memory          = "512Mi"
      concurrency     = 8
      timeout_seconds = 60
      max_instances   = 2
      ingress         = "ALLOW_INTERNAL_ONLY"
      enqueues        = ["alerts"]
      sends           = false
      queries         = false
      schedules       = null
      reads           = []
      writes          = []
      deletes         = []
    }
    # Requests wait for the database more than they compute; what a trial or an upload writes to its disk is memory.
    api = {
      caller          = "programs"
      cpu             = "2"
      memory          = "2Gi"
      concurrency     = 4
      timeout_seconds = 600
      max_instances   = 10
      ingress         = "ALLOW_ALL"
      enqueues        = ["steps", "alerts"]
      sends           = false
      queries         = true
      schedules       = "edit"
      reads           = concat(["audiences/", "uploads/"], var.erase_users ? ["devices/", "receipts/"] : [])
      writes          = concat(["audiences/"], var.erase_users ? ["receipts/"] : [])
      deletes         = concat(var.user_dataset != null ? ["exports/"] : [], var.erase_users ? ["audiences/", "devices/", "receipts/"] : [])
    }
    # People open it in browsers, past Identity-Aware Proxy: it is a service of its own, see console.tf. A dry run
    # builds whole audiences, so it has what build_audience has.
    console = {
      caller          = null
      cpu             = "2"
      memory          = "2Gi"
      concurrency     = 4
      timeout_seconds = 300
      max_instances   = 5
      ingress         = "ALLOW_ALL"
      enqueues        = ["steps", "alerts"]
      sends           = false
      queries         = true
      schedules       = "edit"
      reads           = ["audiences/", "lists/"]
      writes          = ["audiences/", "lists/"]
      deletes         = var.user_dataset != null ? ["exports/"] : []
    }
  }
}
