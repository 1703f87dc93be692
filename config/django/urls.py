"""The root of all URLs: everything that people and programs open is in `review_ui`."""

from django.urls import include, path

urlpatterns = [path("", include("review_ui.urls"))]
