"""Where django-newsletter's pages are; its links are made from this."""

from django.urls import include, path

urlpatterns = [path("newsletter/", include("newsletter.urls"))]
