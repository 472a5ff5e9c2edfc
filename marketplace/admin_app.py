"""Django's admin with the operators' own site in it."""

from django.contrib.admin.apps import AdminConfig


class OperatorsAdminConfig(AdminConfig):
    default_site = "marketplace.admin_site.OperatorsSite"
